import Contract
import Foundation
import TestSupport
import Testing

@Suite("Where lines begin and end")
struct LineBoundsTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
  }

  static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private func decode(_ object: [UInt8], chunks: [Int] = [.max]) throws -> Decoded {
    try Decoded(object, chunks: chunks, by: decoder)
  }

  @Test("Any cut of an object into chunks gives the same rows, records and counts")
  func cuts() throws {
    var object: [UInt8] = Self.mark
    for (index, item) in CorpusTests.cases.enumerated() where item.line.count < 10_000 {
      object += item.line + (index % 3 == 0 ? Array("\r\n".utf8) : Array("\n".utf8))
    }
    object += Array(event().utf8)
    let whole = try decode(object)
    #expect(whole.counts.lines == CorpusTests.cases.count { $0.line.count < 10_000 } + 1)
    #expect(try decode(object, chunks: [1]) == whole)
    var random = SystemRandomNumberGenerator()
    for longest in [3, 17, 64, 300, 5000, 100_000] {
      let chunks = (0..<10_000).map { _ in Int.random(in: 1...longest, using: &random) }
      #expect(try decode(object, chunks: chunks) == whole, "chunks up to \(longest): \(chunks)")
    }
  }

  @Test("A byte order mark at the start of an object belongs to no line, however it is cut")
  func markAtStart() throws {
    let line = Array(event().utf8)
    for chunks in [[.max], [1], [2, .max], [3, .max], [1, 1, 1, 5, .max]] {
      let decoded = try decode(Self.mark + line, chunks: chunks)
      #expect(decoded.counts.accepted == 1)
      let bad = try decode(Self.mark + Array("x\n".utf8), chunks: chunks)
      #expect(bad.records.map(\.byteOffset) == [3])
      #expect(bad.records.map(\.byteLength) == [1])
    }
  }

  @Test("An object of nothing but a byte order mark has no line")
  func onlyMark() throws {
    #expect(try decode(Self.mark).counts == LineCounts())
    #expect(try decode([]).counts == LineCounts())
    #expect(try decode(Self.mark + Array("\n".utf8)).counts.blank == 1)
  }

  @Test("Part of a byte order mark, or a second one, is an ordinary line")
  func notTheMark() throws {
    for start in [[0xEF], [0xEF, 0xBB], [0xEF, 0xBB, 0x20], [0xEF, 0x20]] as [[UInt8]] {
      for chunks in [[.max], [1]] {
        let decoded = try decode(start, chunks: chunks)
        #expect(decoded.records.map(\.reason) == [.invalidUnicode])
        #expect(decoded.records.map(\.raw) == [start])
        #expect(decoded.records.map(\.byteOffset) == [0])
        let withMore = try decode(start + Array("\n{}\n".utf8), chunks: chunks)
        #expect(withMore.records.map(\.reason) == [.invalidUnicode, .missingEventID])
      }
    }
    let twice = try decode(Self.mark + Self.mark + Array(event().utf8))
    #expect(twice.records.map(\.reason) == [.malformedJSON])
  }

  @Test("One carriage return goes before a line feed, and before the end of the object")
  func carriageReturns() throws {
    let line = event()
    #expect(try decode(Array("\(line)\r\n\(line)\r".utf8)).counts.accepted == 2)
    #expect(try decode(Array("\r\n\r".utf8)).counts.blank == 2)
    // The second one is no blank, and no JSON either.
    #expect(try decode(Array("\r\r\n".utf8)).counts.quarantined == [.malformedJSON: 1])
    #expect(try decode(Array(" \r \n".utf8)).counts.quarantined == [.malformedJSON: 1])
    // After a value it is JSON's white space.
    #expect(try decode(Array("\(line)\r\r\n".utf8)).counts.accepted == 1)
  }

  @Test("A tail without a line feed is a line if it is not empty")
  func tails() throws {
    #expect(try decode(Array("\n".utf8)).counts.lines == 1)
    #expect(try decode(Array("\n ".utf8)).counts.blank == 2)
    #expect(try decode(Array("\n\(event())".utf8)).counts.accepted == 1)
    #expect(try decode(Array("{".utf8)).counts.quarantined == [.malformedJSON: 1])
  }

  @Test(
    "A line of exactly 1 MiB is judged and one byte more is too long, whatever ends it",
    arguments: [[1000], [1 << 20], [(1 << 20) + 1], [(1 << 20) - 2, 1], [.max]])
  func longestLine(chunks: [Int]) throws {
    let frame = event("\"x\":\"\"").utf8.count
    let fits = event("\"x\":\"\(String(repeating: "y", count: (1 << 20) - frame))\"")
    let over = event("\"x\":\"\(String(repeating: "y", count: (1 << 20) - frame + 1))\"")
    #expect(fits.utf8.count == 1 << 20)
    for end in ["\n", "\r\n", "", "\r"] {
      let accepted = try decode(Array((fits + end).utf8), chunks: chunks)
      #expect(accepted.counts.accepted == 1)
      let decoded = try decode(Array((over + end).utf8), chunks: chunks)
      let record = try #require(decoded.records.first)
      #expect(record.reason == .lineTooLong)
      #expect(record.byteLength == (1 << 20) + 1)
      #expect(record.raw == Array(over.utf8.prefix(64 * 1024)))
      #expect(!record.isComplete)
      // What follows is a line of its own, at the right place.
      let more = try decode(Array((over + "\r\nx\n").utf8), chunks: chunks)
      #expect(more.records.map(\.line) == [1, 2])
      #expect(more.records.map(\.byteOffset) == [0, (1 << 20) + 3])
    }
  }

  @Test("A line of blanks and tabs is blank, however long")
  func longBlanks() throws {
    for count in [1 << 20, (1 << 20) + 1, (1 << 20) + 2, 3 << 20] {
      for end in ["\n", "\r\n", "", "\r"] {
        let line = Array(String(repeating: " \t", count: count / 2).utf8) + Array(end.utf8)
        for chunk in [4096, 65_537, .max] {
          #expect(try decode(line, chunks: [chunk]).counts.blank == 1)
        }
      }
      let line = [UInt8](repeating: 0x20, count: count) + Array("x".utf8)
      let inside = [UInt8](repeating: 0x20, count: count) + Array("\r ".utf8)
      for chunk in [4096, 65_537, .max] {
        let reason: QuarantineReason = count < 1 << 20 ? .malformedJSON : .lineTooLong
        #expect(try decode(line, chunks: [chunk]).counts.quarantined == [reason: 1])
        #expect(try decode(inside, chunks: [chunk]).counts.quarantined == [reason: 1])
      }
    }
  }

  @Test("A line of 200 MB without a line feed takes no more memory than a short one")
  func endlessLine() throws {
    let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    let before = try peakBytes()
    decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
    for _ in 0..<200 { chunk.withUnsafeBytes { decoder.decode($0) } }
    Array("\nx\n".utf8).withUnsafeBytes { decoder.decode($0) }
    #expect(decoder.finish().quarantined == [.lineTooLong: 1, .malformedJSON: 1])
    let records = try Decoded.takeRecords(of: decoder)
    #expect(records.map(\.byteLength) == [200 << 20, 1])
    #expect(records.map(\.byteOffset) == [0, (200 << 20) + 1])
    // Other tests run beside this one.
    #expect(try peakBytes() - before < 150 << 20)
  }

  /// The most memory that the process had so far.
  private func peakBytes() throws -> Int {
    let status = try String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    let digits = line.filter(\.isNumber)
    return try #require(Int(digits)) * 1024
  }
}
