import Foundation
import Parquet
import Testing

@Suite(
  "DuckDB skips by statistics and still answers right",
  .enabled(if: ReadBack.isAvailable, "\(ReadBack.reason)"))
struct StatisticsQueryTests {
  private static let rowsPerGroup = 3000
  private static let groupCount = 6

  /// Row groups of distinct ranges, with text that only differs after its bounds are cut.
  private static let rows = (0..<(rowsPerGroup * groupCount)).map(Row.init)

  private struct Row {
    let number: Int64
    let price: Double
    let text: String
    let isNull: Bool

    init(_ row: Int) {
      number = Int64(row)
      price = row % 1000 == 7 ? -0.0 : Double(row) / 4
      text = String(repeating: "é", count: 40) + String(row + 100_000)
      isNull = row % 11 == 0
    }
  }

  private func answers(_ queries: [String]) throws -> [[[String]]] {
    let rows = Self.rows
    let validity: [UInt8] = rows.map { $0.isNull ? 0 : 1 }
    func column(_ name: String, _ kind: ParquetSchema.Column.Kind) -> ParquetSchema.Column {
      ParquetSchema.Column(name: name, kind: kind, isNullable: name != "number")
    }
    let file = TestFile(
      columns: [
        ColumnData(
          column("number", .int64), rowCount: rows.count, .int64(Memory(rows.map(\.number)))),
        ColumnData(
          column("price", .double), rowCount: rows.count, .double(Memory(rows.map(\.price))),
          validity: validity),
        ColumnData(
          column("text", .string), rowCount: rows.count, .strings(TextMemory(rows.map(\.text))),
          validity: validity),
        ColumnData(
          column("ts", .timestampMicrosUTC), rowCount: rows.count,
          .int64(Memory(rows.map { $0.number * 1_000_000 })), validity: validity),
      ],
      rowGroups: Array(repeating: Self.rowsPerGroup, count: Self.groupCount))
    return try withTemporaryDirectory { directory in
      try file.write(to: directory, name: "file")
      return try ReadBack.query(directory.appending(path: "file.parquet"), queries)
    }
  }

  @Test("counts of filtered rows are those of a full look")
  func filters() throws {
    let present = Self.rows.filter { !$0.isNull }
    let edge = Self.rows[3000].text
    let last = Self.rows[17_998].text
    func count(_ matches: (Row) -> Bool) -> Int { present.count(where: matches) }
    let cases: [(filter: String, count: Int)] = [
      ("number = 8999", 1),
      ("number between 2990 and 3010", 21),
      ("number > 17999", 0),
      ("price = 0", count { $0.price == 0 }),
      ("price < 0.5", count { $0.price < 0.5 }),
      ("price >= 4000", count { $0.price >= 4000 }),
      ("price is null", Self.rows.count - present.count),
      ("text = '\(edge)'", count { $0.text == edge }),
      ("text > '\(edge)'", count { $0.text > edge }),
      ("text <= '\(edge)'", count { $0.text <= edge }),
      ("text > '\(last)'", count { $0.text > last }),
      ("ts >= '1970-01-01 01:00:00Z'::timestamptz", count { $0.number >= 3600 }),
      ("ts < '1970-01-01 00:00:05Z'::timestamptz", count { $0.number < 5 }),
    ]
    let answers = try answers(cases.map { "select count(*) from {file} where \($0.filter)" })
    #expect(answers.count == cases.count)
    for (answer, (filter, count)) in zip(answers, cases) {
      #expect(answer == [["\(count)"]], "\(filter)")
    }
  }

  @Test("least and greatest are values of the column, not cut bounds")
  func extremes() throws {
    let present = Self.rows.filter { !$0.isNull }
    let answers = try answers([
      "select min(text), max(text) from {file}",
      "select min(price), max(price), min(number), max(number) from {file}",
      "select count(*), count(text), count(distinct text) from {file}",
    ])
    #expect(answers[0] == [[present.first!.text, present.last!.text]])
    #expect(Double(answers[1][0][0]) == 0 && answers[1][0][1] == "\(present.last!.price)")
    #expect(answers[1][0][2...] == ["0", "17999"])
    #expect(answers[2] == [["18000", "\(present.count)", "\(present.count)"]])
  }

  @Test("bounds say whether they are values of the column")
  func exactness() throws {
    func texts(_ name: String, _ values: [String]) -> ColumnData {
      ColumnData(
        ParquetSchema.Column(name: name, kind: .string, isNullable: false), rowCount: 2,
        .strings(TextMemory(values)))
    }
    let long = String(repeating: "m", count: 65)
    let file = TestFile(
      columns: [
        texts("short", ["a", "z"]), texts("long above", ["a", long]),
        texts("long below", [long, "z"]), texts("long", [long, long]),
      ], rowGroups: [2])
    try withTemporaryDirectory { directory in
      try file.write(to: directory, name: "file")
      let path = directory.appending(path: "file.parquet")
      let answers = try ReadBack.query(
        path,
        [
          "select min_is_exact, max_is_exact from parquet_metadata('\(path.path)')",
          "select min(\"long above\"), max(\"long above\"), min(\"long below\") from {file}",
        ])
      #expect(
        answers[0] == [
          ["True", "True"], ["True", "False"], ["False", "True"], ["False", "False"],
        ])
      #expect(answers[1] == [["a", long, long]])
    }
  }

  @Test("NaN is found where the numbers beside it would rule it out")
  func notANumber() throws {
    let column = ParquetSchema.Column(name: "x", kind: .double, isNullable: false)
    let values = (0..<4000).map { $0 == 2500 ? Double.nan : Double($0 % 7) }
    let file = TestFile(
      columns: [ColumnData(column, rowCount: 4000, .double(Memory(values)))],
      rowGroups: [2000, 2000])
    try withTemporaryDirectory { directory in
      try file.write(to: directory, name: "file")
      // DuckDB sorts NaN above every number.
      let answers = try ReadBack.query(
        directory.appending(path: "file.parquet"),
        ["select count(*) from {file} where x > 100", "select max(x) from {file}"])
      #expect(answers == [[["1"]], [["nan"]]])
    }
  }
}
