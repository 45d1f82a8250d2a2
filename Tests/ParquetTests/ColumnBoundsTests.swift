import Parquet
import Testing

@Suite("Bounds of text")
struct ColumnBoundsTests {
  private func cut(_ lower: String, _ upper: String, limit: Int) -> ColumnBounds? {
    cut(Array(lower.utf8), Array(upper.utf8), limit: limit)
  }

  private func cut(_ lower: [UInt8], _ upper: [UInt8], limit: Int) -> ColumnBounds? {
    lower.withUnsafeBytes { lower in
      upper.withUnsafeBytes { ColumnBounds(lower: lower, upper: $0, limit: limit) }
    }
  }

  @Test("short bounds are the values themselves")
  func exact() throws {
    let bounds = try #require(cut("", "zebra", limit: 5))
    #expect(bounds.lower == [] && bounds.upper == Array("zebra".utf8))
    #expect(bounds.isLowerExact && bounds.isUpperExact)
  }

  @Test("long bounds are cut, the upper one raised, and both say so")
  func longBounds() throws {
    let bounds = try #require(cut("apple pie", "zebra crossing", limit: 5))
    #expect(bounds.lower == Array("apple".utf8) && bounds.upper == Array("zebrb".utf8))
    #expect(!bounds.isLowerExact && !bounds.isUpperExact)
  }

  @Test("no character is cut in two")
  func characters() throws {
    let bounds = try #require(cut("aéé", "日本日本", limit: 4))
    #expect(bounds.lower == Array("aé".utf8))
    #expect(bounds.upper == Array("\u{65E6}".utf8))
  }

  @Test("raising steps over surrogates, and over characters that cannot be raised")
  func raising() throws {
    #expect(cut("a", "a\u{D7FF}bcd", limit: 4)?.upper == Array("a\u{E000}".utf8))
    #expect(cut("a", "a\u{10FFFF}bcd", limit: 5)?.upper == Array("b".utf8))
    #expect(cut("a", "a\u{7F}cd", limit: 2)?.upper == Array("a\u{80}".utf8))
    #expect(cut("a", "\u{10FFFF}\u{10FFFF}x", limit: 8) == nil)
    #expect(cut("a", "日", limit: 2) == nil)
  }

  @Test("bytes that are no text have no bounds")
  func notText() {
    #expect(cut([0xFF], [0xFF], limit: 10) == nil)
    #expect(cut(Array("a".utf8), [0x61, 0x80], limit: 10) == nil)
  }

  @Test("any cut bounds hold their values", arguments: 0..<300)
  func property(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let texts = (0..<20).map { _ in RandomColumns.text(&generator) }
    let byBytes = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    let limit = Int.random(in: 0...70, using: &generator)
    guard let bounds = cut(byBytes[0], byBytes[19], limit: limit) else { return }
    #expect(bounds.lower.count <= limit && bounds.upper.count <= limit + 1)
    #expect(!byBytes[0].lexicographicallyPrecedes(bounds.lower))
    #expect(!bounds.upper.lexicographicallyPrecedes(byBytes[19]))
    #expect(bounds.isLowerExact == (bounds.lower == byBytes[0]))
    #expect(bounds.isUpperExact == (bounds.upper == byBytes[19]))
  }
}

@Suite("Ordering of text")
struct TextBoundsTests {
  @Test("the least and greatest by bytes are found, near and past the ends", arguments: 0..<60)
  func extremes(seed: Int) throws {
    var generator = SeededGenerator(seed: 500 + UInt64(seed))
    // Long common starts, high bytes and zeros, so that every word of a comparison matters.
    let start = String(repeating: "k", count: Int.random(in: 0...30, using: &generator))
    let texts = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
      start + RandomColumns.text(&generator).prefix(6)
    }
    let memory = TextMemory(texts)
    var bounds = TextBounds()
    bounds.add(
      bytes: memory.bytes.pointer, offsets: memory.offsets.pointer, validity: nil,
      rows: 0..<texts.count, total: memory.bytes.buffer.count)
    let sorted = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    let found = try #require(bounds.bounds(limit: 1000))
    #expect(found.lower == sorted.first)
    #expect(found.upper == sorted.last)
  }
}
