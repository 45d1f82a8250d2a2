import Contract
import Foundation
import TestSupport
import Testing

@Suite("Names that occur twice, and names that are rescued")
struct TwinTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
    decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
  }

  @Test(
    "A second member of one name is found among few names and among many",
    arguments: [2, 5, 12, 13, 14, 100, 5000])
  func twins(count: Int) {
    let names = (0..<count).map { "k\($0)" }
    func verdict(_ names: [String]) -> Verdict {
      decoder.verdict(event(names.map { "\"\($0)\":0" }.joined(separator: ",")).utf8)
    }
    #expect(verdict(names) == .accepted)
    for twin in ["k0", "\\u006b0", "k\(count - 1)", "\\u006B\(count - 1)", "event_id", "\\u0074s"] {
      #expect(verdict(names + [twin]) == .quarantined(.duplicateKey), "\(twin)")
      #expect(verdict([twin] + names) == .quarantined(.duplicateKey), "\(twin)")
    }
    // Two spellings of one name, neither of them plain.
    #expect(verdict(names + ["\\u0078\\n", "x\\u000a"]) == .quarantined(.duplicateKey))
    // Bytes decide: a letter and an accent are not the accented letter.
    #expect(verdict(names + ["\u{E9}", "e\u{301}"]) == .accepted)
    #expect(verdict(names + ["", "\\u0000"]) == .accepted)
    #expect(verdict(names + ["", ""]) == .quarantined(.duplicateKey))
  }

  @Test("A line of a hundred thousand names is judged without comparing each with each")
  func manyNames() {
    var line = "{\"event_id\":\"e\",\"ts\":\"2026-11-20T00:00:00Z\""
    var count = 0
    while line.utf8.count < (1 << 20) - 20 {
      line += ",\"\(String(count, radix: 36, uppercase: true))\":0"
      count += 1
    }
    #expect(count > 90_000)
    let unique = Array((line + "}").utf8)
    let twin = Array((line + ",\"0\":0}").utf8)
    var verdicts: [Verdict] = []
    let seconds = cpuSeconds { verdicts = [decoder.verdict(unique), decoder.verdict(twin)] }
    #expect(verdicts == [.accepted, .quarantined(.duplicateKey)])
    // Comparing each name with each other would take longer than this.
    #expect(seconds < 3)
  }

  @Test("A rescue is counted by name with escapes undone, in accepted lines only")
  func counts() throws {
    let lines = [
      event("\"price\":-1,\"a\":1"), event("\"\\u0061\":2,\"pric\\u0065\":\"x\""),
      event("\"é\":1,\"a\\n\":null"), "{\"a\":1}", event("\"b\":1,\"b\":2"),
      event("\"price\":null"),
    ]
    let decoded = try Decoded(Array(lines.joined(separator: "\n").utf8), by: decoder)
    #expect(decoded.counts.rescued == ["price": 2, "a": 2, "é": 1, "a\n": 1])
    #expect(decoded.counts.quarantined == [.missingEventID: 1, .duplicateKey: 1])
    // The next object counts for itself.
    let next = try Decoded(Array(event("\"c\":1").utf8), by: decoder)
    #expect(next.counts.rescued == ["c": 1])
  }

  @Test("Only 256 names that the contract does not know are told apart, and none that is long")
  func bounded() throws {
    let long = String(repeating: "n", count: 257)
    var lines = (0..<1000).map { event("\"k\($0)\":0,\"price\":-1") }
    lines += [event("\"\(long)\":0"), event("\"k1\":0,\"k999\":0,\"\(long.dropLast())\":0")]
    let counts = try Decoded(Array(lines.joined(separator: "\n").utf8), by: decoder).counts
    #expect(counts.rescued.count == 256 + 2)
    #expect(counts.rescued["price"] == 1000)
    #expect(counts.rescued["k1"] == 2)
    #expect(counts.rescued["k255"] == 1)
    #expect(counts.rescued["k256"] == nil)
    #expect(counts.rescued[LineCounts.otherNames] == 744 + 3)
    #expect(counts.rescued.values.reduce(0, +) == 2000 + 4)
  }

  @Test("Counts add up, and their sum stays bounded")
  func sums() throws {
    let object = try Corpus.cases().map(\.line).joined(separator: [UInt8(ascii: "\n")])
    let once = try Decoded(Array(object), by: decoder).counts
    #expect(once.lines == 292)
    #expect(once.accepted + once.blank + once.quarantinedTotal == 292)
    let twice = once + once
    #expect(twice.lines == 584)
    #expect(twice.quarantined[.malformedJSON] == 90)
    #expect(twice.rescued["price"] == (once.rescued["price"] ?? 0) * 2)
    #expect(once + LineCounts() == once)

    var sum = LineCounts()
    for part in 0..<10 {
      var counts = LineCounts()
      for name in 0..<200 { counts.rescued["p\(part)-\(name)"] = 1 }
      counts.rescued["always"] = 1
      sum += counts
    }
    #expect(sum.rescued["always"] == 10)
    #expect(sum.rescued.count == LineCounts.mostRescuedNames + 1)
    #expect(sum.rescued.values.reduce(0, +) == 2010)
  }
}
