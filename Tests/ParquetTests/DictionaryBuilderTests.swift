import Parquet
import TestSupport
import Testing

@Suite("Finding distinct values")
struct DictionaryBuilderTests {
  private struct Built {
    var isBuilt: Bool
    var indexes: [UInt32]
    var page: [UInt8]
    var entryCount: Int
  }

  private func build(
    _ texts: [[UInt8]], validity: [UInt8]? = nil, pageLimit: Int = 1 << 20
  ) -> Built {
    var bytes: [UInt8] = []
    var offsets: [UInt32] = [0]
    for text in texts {
      bytes += text
      offsets.append(UInt32(bytes.count))
    }
    let memory = Memory(bytes)
    var indexes = [UInt32](repeating: .max, count: texts.count)
    var builder = DictionaryBuilder()
    let valueCount = validity.map { $0.count { $0 != 0 } } ?? texts.count
    let isBuilt = validity.withUnsafePointer { validity in
      builder.build(
        bytes: memory.pointer, offsets: offsets, validity: validity, rowCount: texts.count,
        valueCount: valueCount, pageLimit: pageLimit, indexes: &indexes)
    }
    return Built(
      isBuilt: isBuilt, indexes: indexes, page: Array(builder.page.bytes),
      entryCount: builder.entryCount)
  }

  private func isBuilt(_ texts: [[UInt8]], pageLimit: Int = 1 << 20) -> Bool {
    build(texts, pageLimit: pageLimit).isBuilt
  }

  private func plain(_ entries: [[UInt8]]) -> [UInt8] {
    entries.flatMap { entry in
      withUnsafeBytes(of: UInt32(entry.count).littleEndian, Array.init) + entry
    }
  }

  @Test("entries stand in the order of their first row, and rows point at them")
  func firstRows() {
    let entries = ["b", "", "a", "sixteen letters!", "seventeen letters", "é"].map {
      Array($0.utf8)
    }
    let rows = [0, 1, 0, 2, 3, 4, 4, 3, 1, 5, 0, 0, 5, 2]
    let built = build(rows.map { entries[$0] })
    #expect(built.isBuilt)
    #expect(built.indexes == rows.map { UInt32($0) })
    #expect(built.page == plain(entries))
    #expect(built.entryCount == entries.count)
  }

  @Test("texts that differ only in length or in one byte are told apart")
  func neighbours() {
    var entries: [[UInt8]] = [[]]
    for length in 1...40 {
      entries.append(Array(repeating: 0, count: length))
      for place in 0..<length {
        var entry = [UInt8](repeating: 0, count: length)
        entry[place] = 1
        entries.append(entry)
      }
    }
    let built = build(entries + entries + entries)
    #expect(built.isBuilt)
    #expect(built.entryCount == entries.count)
    #expect(built.page == plain(entries))
  }

  @Test("long texts of one hash are told apart")
  func longCollision() {
    // The second word cancels the state, and with it what the first word was.
    let second = 0xA076_1D64_78BD_642F ^ UInt64(40)
    let texts = [1, 2].map { first in
      [UInt64(first), second, 3, 4, 5].flatMap { word in
        withUnsafeBytes(of: word.littleEndian, Array.init)
      }
    }
    let hashes = texts.map { text in
      text.withUnsafeBytes { ByteString.longHash($0.baseAddress!, count: $0.count) }
    }
    #expect(hashes[0] == hashes[1])
    let built = build((0..<40).map { texts[$0 % 2] })
    #expect(built.isBuilt)
    #expect(built.page == plain(texts))
  }

  @Test("rows that are null are skipped")
  func nulls() {
    let texts = ["x", "a", "x", "b", "a", "x", "a"].map { Array($0.utf8) }
    let built = build(texts, validity: [0, 1, 0, 255, 7, 0, 1])
    #expect(built.isBuilt)
    #expect(built.indexes.prefix(4) == [0, 1, 0, 0])
    #expect(built.page == plain([Array("a".utf8), Array("b".utf8)]))
  }

  @Test("distinct values are given up")
  func distinct() {
    #expect(!isBuilt((0..<100_000).map { Array("value \($0)".utf8) }))
    #expect(!isBuilt((0..<100).map { Array("value \($0)".utf8) }))
  }

  @Test("a dictionary is kept up to its limit and no further")
  func limit() {
    let texts = (0..<1000).map { [UInt8($0 % 10)] }
    #expect(isBuilt(texts, pageLimit: 50))
    #expect(!isBuilt(texts, pageLimit: 49))
  }

  @Test("values that repeat a little are kept while the whole is smaller", arguments: [1, 2, 3])
  func moderateRepeats(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let texts = (0..<200_000).map { _ in
      Array("customer \(Int.random(in: 0..<50_000, using: &generator))".utf8)
    }
    #expect(isBuilt(texts))
  }

  @Test("values that come in turn, or sorted, are kept as well", arguments: [false, true])
  func arrangements(isSorted: Bool) {
    let texts = (0..<200_000).map { Array("customer \(isSorted ? $0 / 5 : $0 % 40_000)".utf8) }
    #expect(isBuilt(texts))
  }

  @Test("values made to collide are given up after work that is linear")
  func collisions() {
    // The hash multiplies two words, each first changed by a constant. A second word equal to its
    // constant makes that factor, and so the hash, zero whatever the first word is.
    let constant = withUnsafeBytes(of: UInt64(0xE703_7ED1_A0B4_28DB).littleEndian, Array.init)
    #expect(
      ByteString.hash(1, 0xE703_7ED1_A0B4_28DB, 16) == 0
        && ByteString.hash(2, 0xE703_7ED1_A0B4_28DB, 16) == 0)
    let colliding = (0..<20_000).map { i in
      withUnsafeBytes(of: UInt64(i).littleEndian, Array.init) + constant
    }
    // Each of them ten times: without the collisions this would make a dictionary.
    let rows = (0..<200_000).map { colliding[$0 % colliding.count] }
    var built: Built?
    let seconds = cpuSeconds { built = build(rows) }
    #expect(built?.isBuilt == false)
    // 20 000 entries in one chain would take 2 000 000 000 steps, the budget allows 800 000.
    #expect(seconds < 2)
    #expect(built.map { $0.entryCount < 3000 } == true)
  }

  @Test("numbers are told apart by their bits")
  func numbers() {
    let values: [Double] = [0, -0.0, .nan, 0, -.nan, -0.0, .nan, 1.5, 0, 0, 0, 0, 0, 0, 0, 0]
    var indexes = [UInt32](repeating: .max, count: values.count)
    var builder = DictionaryBuilder()
    let isBuilt = builder.build(
      values: values, validity: nil, rowCount: values.count, valueCount: values.count,
      pageLimit: 1000, indexes: &indexes)
    #expect(isBuilt)
    #expect(indexes == [0, 1, 2, 0, 3, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0])
    let entries = builder.page.bytes.bindMemory(to: UInt64.self)
    #expect(Array(entries) == [0.0, -0.0, .nan, -.nan, 1.5].map { (d: Double) in d.bitPattern })
  }

  @Test("a builder starts afresh for every chunk")
  func reuse() {
    var builder = DictionaryBuilder()
    for round in 0..<5 {
      let count = [10, 70_000, 10, 40_000, 3][round]
      let values = (0..<(count * 3)).map { Int64($0 % count + round) }
      var indexes = [UInt32](repeating: .max, count: values.count)
      let isBuilt = builder.build(
        values: values, validity: nil, rowCount: values.count, valueCount: values.count,
        pageLimit: 1 << 20, indexes: &indexes)
      #expect(isBuilt)
      #expect(builder.entryCount == count)
      #expect(indexes.indices.allSatisfy { Int(indexes[$0]) == $0 % count })
    }
  }
}

extension [UInt8]? {
  /// The array's address for a call, or nil.
  fileprivate func withUnsafePointer<R>(_ body: (UnsafePointer<UInt8>?) -> R) -> R {
    guard let self else { return body(nil) }
    return self.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
