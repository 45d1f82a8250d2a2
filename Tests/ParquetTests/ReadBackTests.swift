import Foundation
import Parquet
import Testing

@Suite("What is written is read back", .enabled(if: ReadBack.isAvailable, "\(ReadBack.reason)"))
struct ReadBackTests {
  /// Writes the files, reads them back, and fails on any difference.
  private func expectReadBack(_ files: [(name: String, file: TestFile)]) throws {
    try withTemporaryDirectory { directory in
      for (name, file) in files {
        let summary = try file.write(to: directory, name: name)
        #expect(summary.rowCount == file.rowGroups.reduce(0, +))
        #expect(summary.rowGroupCount == file.rowGroups.count { $0 > 0 })
        let attributes = try FileManager.default.attributesOfItem(
          atPath: directory.appending(path: "\(name).parquet").path)
        #expect(attributes[.size] as? Int == summary.sizeBytes)
      }
      let verdicts = try ReadBack.check(directory)
      #expect(Set(verdicts.map(\.case)) == Set(files.map(\.name)))
      for verdict in verdicts {
        #expect(verdict.readers.contains("pyarrow") && verdict.readers.contains("duckdb"))
        #expect(
          verdict.problems.isEmpty, "\(verdict.case): \(verdict.problems.joined(separator: "\n"))")
      }
    }
  }

  @Test("random columns of few rows come back as they were, with true statistics")
  func smallRandomFiles() throws {
    let rowCounts = [0, 1, 2, 7, 8, 9, 63, 64, 65, 500]
    try expectReadBack(
      (0..<120).map { seed in
        var random = RandomColumns(seed: UInt64(seed))
        return ("small\(seed)", random.file(rowCount: rowCounts[seed % rowCounts.count]))
      })
  }

  @Test("random columns of many rows come back as they were, with true statistics")
  func largeRandomFiles() throws {
    try expectReadBack(
      (0..<14).map { seed in
        var random = RandomColumns(seed: 7_000 + UInt64(seed))
        return ("large\(seed)", random.file(rowCount: seed < 12 ? 9_000 : 40_000))
      })
  }

  @Test("300 000 rows of every kind come back as they were")
  func manyRows() throws {
    let rowCount = 300_000
    var generator = SeededGenerator(seed: 99)
    let few = ["store_1", "store_2", "a name of more than sixteen bytes", "", "日本"]
    let validity = (0..<rowCount).map { _ in
      UInt8(Int.random(in: 0..<10, using: &generator) > 0 ? 1 : 0)
    }
    func column(
      _ name: String, _ kind: ParquetSchema.Column.Kind, _ values: ColumnData.Values,
      nulls: Bool = false
    ) -> ColumnData {
      ColumnData(
        ParquetSchema.Column(name: name, kind: kind, isNullable: nulls), rowCount: rowCount, values,
        validity: nulls ? validity : nil)
    }
    func texts(_ next: (Int) -> String) -> ColumnData.Values {
      .strings(TextMemory((0..<rowCount).map(next)))
    }
    let ids = texts { _ in
      let word = generator.next()
      return "\(String(word, radix: 16))-\(String(~word, radix: 16))"
    }
    let file = TestFile(
      columns: [
        column("distinct", .string, ids),
        column("distinct with nulls", .string, ids, nulls: true),
        column("few", .string, texts { few[$0 % few.count] }, nulls: true),
        column("many", .string, texts { "customer \($0 &* 7919 % 5000)" }),
        column("too many", .string, texts { "customer number \($0 &* 7919 % 99_991)" }),
        column("rising", .timestampMicrosUTC, .int64(Memory((0..<rowCount).map { Int64($0) }))),
        column("repeating", .int64, .int64(Memory((0..<rowCount).map { Int64($0 / 1000) }))),
        column("prices", .double, .double(Memory((0..<rowCount).map { Double($0 % 20) + 0.99 }))),
        column(
          "numbers", .double,
          .double(Memory((0..<rowCount).map { _ in Double.random(in: 0...1, using: &generator) })),
          nulls: true),
        column("quantity", .int32, .int32(Memory((0..<rowCount).map { Int32($0 % 5 + 1) }))),
        column("days", .date, .int32(Memory((0..<rowCount).map { Int32($0 / 9) })), nulls: true),
        column(
          "flags", .boolean, .boolean(Memory((0..<rowCount).map { UInt8($0 % 3 % 2) })), nulls: true
        ),
        column(
          "coded", .string,
          .codedStrings(
            indexes: Memory((0..<rowCount).map { UInt32($0 % 70_000) }),
            TextMemory((0..<80_000).map { "entry \($0)" }))),
      ],
      rowGroups: [270_000, 30_000])
    try expectReadBack([("many", file)])
  }

  @Test("every bit width of dictionary indexes comes back, up to 17 bits")
  func indexWidths() throws {
    try expectReadBack(
      (1...17).map { width in
        let entryCount = 1 << width
        let rowCount = min(entryCount * 3, 200_000) + 5
        let indexes = (0..<rowCount).map { UInt32($0 * 2_654_435_761 % entryCount) }
        let column = ParquetSchema.Column(name: "c", kind: .int32, isNullable: true)
        var file = TestFile(
          columns: [
            ColumnData(
              column, rowCount: rowCount,
              .codedInt32(
                indexes: Memory(indexes), Memory((0..<entryCount).map { Int32($0) &* 77_777 })))
          ],
          rowGroups: [rowCount])
        file.options.pageRows = 50_000
        return ("width\(width)", file)
      })
  }

  @Test("a value larger than a page, and text that compresses to nothing, come back")
  func largeValues() throws {
    var generator = SeededGenerator(seed: 5)
    let noise = String(
      decoding: (0..<3_000_000).map { _ in UInt8.random(in: 32...126, using: &generator) },
      as: UTF8.self)
    let texts = ["", noise, "a", String(repeating: "b", count: 2_500_000), noise, "c"]
    let column = ParquetSchema.Column(name: "text", kind: .string, isNullable: true)
    try expectReadBack([
      (
        "large values",
        TestFile(
          columns: [ColumnData(column, rowCount: 6, .strings(TextMemory(texts)))],
          rowGroups: [4, 2])
      ),
      (
        "large entries",
        TestFile(
          columns: [
            ColumnData(
              column, rowCount: 7,
              .codedStrings(indexes: Memory([1, 0, 2, 3, 5, 1, 4]), TextMemory(texts)))
          ], rowGroups: [7])
      ),
    ])
  }
}
