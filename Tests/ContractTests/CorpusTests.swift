import Contract
import TestSupport
import Testing

@Suite("Every line of the corpus")
struct CorpusTests {
  static let cases = (try? Corpus.cases()) ?? []

  @Test("The corpus has all its lines")
  func corpusIsWhole() {
    #expect(Self.cases.count == 292)
  }

  @Test(
    "A line gets its verdict and its row, whole, byte by byte and among others", arguments: cases)
  func line(_ item: Corpus.Case) throws {
    let decoder = LineDecoder(contract: try Repository.contract())
    let feed = [UInt8(ascii: "\n")]
    // A blank line first, since a mark at an object's start belongs to no line.
    let whole = try Decoded(feed + item.line + feed, by: decoder)
    try check(whole, item, line: 2)
    let bytewise = try Decoded(feed + item.line + feed, chunks: [1], by: decoder)
    #expect(bytewise == whole)
    let tail = try Decoded(feed + item.line, by: decoder)
    if !item.line.isEmpty { #expect(tail == whole) }

    let good = Array(event().utf8) + feed
    let among = try Decoded(good + item.line + feed + good, by: decoder)
    let others = among.rows.filter { $0.line != 2 }
    #expect(others.map(\.line) == [1, 3])
    #expect(others.allSatisfy { $0.cells["event_id"] == .string("e") })
    #expect(among.rows.filter { $0.line == 2 } == whole.rows)
    #expect(among.records.map(\.reason) == whole.records.map(\.reason))
    #expect(among.records.map(\.raw) == whole.records.map(\.raw))
    #expect(among.counts.lines == 3)
  }

  private func check(_ decoded: Decoded, _ item: Corpus.Case, line: Int64) throws {
    #expect(decoded.counts.lines == 2)
    switch item.verdict {
    case .blank: #expect(decoded.counts.blank == 2)
    case .quarantined(let reason):
      #expect(decoded.records.map(\.reason) == [reason])
      #expect(decoded.counts.quarantined == [reason: 1])
      #expect(decoded.rows.isEmpty)
    case .accepted:
      #expect(decoded.records.isEmpty)
      #expect(decoded.counts.accepted == 1)
      var expected = try #require(try item.expected?.row(line: line))
      var row = try #require(decoded.rows.first)
      if let digest = item.rescuedDigest {
        guard case .text(let rescued) = row.cells["_rescued_data"] else {
          Issue.record("nothing was rescued")
          return
        }
        #expect(sha256(rescued) == digest)
        row.cells["_rescued_data"] = .null
        expected.cells["_rescued_data"] = .null
      }
      #expect(row == expected)
    }
  }

  @Test("A line judged on its own gets the verdict it has in an object")
  func lineOnItsOwn() throws {
    let decoder = LineDecoder(contract: try Repository.contract())
    decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
    // Line ends are the object's matter, not the line's.
    for item in Self.cases where item.line.last != UInt8(ascii: "\r") {
      #expect(decoder.verdict(item.line) == item.verdict, "\(item.name)")
    }
  }
}
