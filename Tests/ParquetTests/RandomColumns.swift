import Parquet

/// Random schemas and rows, leaning towards what breaks writers.
struct RandomColumns {
  var generator: SeededGenerator

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
  }

  /// A file of up to seven columns and four row groups.
  mutating func file(rowCount: Int) -> TestFile {
    var columns: [ColumnData] = []
    for ordinal in 0..<Int.random(in: 1...7, using: &generator) {
      columns.append(column(named: "c\(ordinal).\(oneOf(["x", "é", "a b", "日本"]))", rowCount))
    }
    var rowGroups: [Int] = []
    var rest = rowCount
    for _ in 0..<3 where Bool.random(using: &generator) {
      let part = Int.random(in: 0...rest, using: &generator)
      rowGroups.append(part)
      rest -= part
    }
    rowGroups.append(rest)
    var file = TestFile(columns: columns, rowGroups: rowGroups)
    if Bool.random(using: &generator) {
      file.options.pageRows = oneOf([1, 7, 8, 100, 1000, 30_000])
      // A page a row is only for small files.
      if rowCount > 2000 { file.options.pageRows = max(100, file.options.pageRows) }
      file.options.pageBytes = max(rowCount / 50 + 1, oneOf([1, 64, 1000, 1 << 16, 1 << 20]))
      file.options.dictionaryBytes = oneOf([0, 20, 300, 5000, 1 << 20])
      file.options.boundBytes = oneOf([0, 1, 3, 64, 300])
      file.options.zstdLevel = oneOf([-5, 1, 3])
    }
    return file
  }

  mutating func column(named name: String, _ rowCount: Int) -> ColumnData {
    var column = ParquetSchema.Column(
      name: name, kind: oneOf(ParquetSchema.Column.Kind.allCases),
      isNullable: Int.random(in: 0..<4, using: &generator) > 0)
    column.encoding = oneOf([.plain, .automatic, .automatic, .delta])
    column.compression = oneOf([.automatic, .automatic, .none, .zstd(level: 3)])
    let validity = column.isNullable ? self.validity(rowCount) : nil
    let isCoded = Int.random(in: 0..<3, using: &generator) == 0
    return ColumnData(
      column, rowCount: rowCount,
      isCoded
        ? coded(column.kind, rowCount, validity) : values(column.kind, rowCount),
      validity: validity)
  }

  private mutating func oneOf<T>(_ choices: [T]) -> T {
    choices.randomElement(using: &generator)!
  }

  /// No nulls, all nulls, few, many, or runs of them.
  private mutating func validity(_ rowCount: Int) -> [UInt8]? {
    let valid = { (generator: inout SeededGenerator) in UInt8.random(in: 1...255, using: &generator)
    }
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: return nil
    case 1: return Array(repeating: 0, count: rowCount)
    case 2: return Array(repeating: 1, count: rowCount)
    case 3:
      return (0..<rowCount).map { _ in
        Int.random(in: 0..<50, using: &generator) == 0 ? 0 : valid(&generator)
      }
    case 4:
      return (0..<rowCount).map { _ in
        Bool.random(using: &generator) ? 0 : valid(&generator)
      }
    default:
      var rows: [UInt8] = []
      while rows.count < rowCount {
        let run = Int.random(in: 1...200, using: &generator)
        let value = Bool.random(using: &generator) ? 0 : valid(&generator)
        rows.append(contentsOf: repeatElement(value, count: run))
      }
      return Array(rows.prefix(rowCount))
    }
  }

  /// `rowCount` values of a few, of many, all of one, in runs, or rising.
  private mutating func rows<T>(
    _ rowCount: Int, _ next: (inout SeededGenerator) -> T, rising: ((Int) -> T)? = nil
  ) -> [T] {
    func some(_ count: Int) -> [T] { (0..<count).map { _ in next(&generator) } }
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: return Array(repeating: next(&generator), count: rowCount)
    case 1:
      let few = some(Int.random(in: 2...9, using: &generator))
      return (0..<rowCount).map { _ in oneOf(few) }
    case 2:
      let many = some(Int.random(in: 100...2000, using: &generator))
      return (0..<rowCount).map { _ in oneOf(many) }
    case 3:
      let few = some(5)
      var rows: [T] = []
      while rows.count < rowCount {
        rows.append(
          contentsOf: repeatElement(oneOf(few), count: .random(in: 1...100, using: &generator)))
      }
      return Array(rows.prefix(rowCount))
    case 4:
      if let rising { return (0..<rowCount).map(rising) }
      fallthrough
    default: return some(rowCount)
    }
  }

  private mutating func values(
    _ kind: ParquetSchema.Column.Kind, _ rowCount: Int
  ) -> ColumnData.Values {
    switch kind {
    case .string: .strings(TextMemory(rows(rowCount, Self.text, rising: { "row \($0 + 100_000)" })))
    case .double: .double(Memory(rows(rowCount, Self.double, rising: { Double($0) / 4 })))
    case .int32: .int32(Memory(rows(rowCount, Self.int32, rising: { Int32($0) })))
    case .date: .int32(Memory(rows(rowCount, Self.day)))
    case .int64: .int64(Memory(rows(rowCount, Self.int64, rising: { Int64($0) * 1_000_003 })))
    case .timestampMicrosUTC:
      .int64(Memory(rows(rowCount, Self.micros, rising: { 1_763_900_000_000_000 + Int64($0) })))
    case .boolean:
      .boolean(Memory(rows(rowCount) { Self.oneOf([0, 1, 2, 0x80, 0xFF], &$0) }))
    }
  }

  /// The caller's own dictionary: entries unused and equal to one another, and in null rows indexes
  /// that point nowhere.
  private mutating func coded(
    _ kind: ParquetSchema.Column.Kind, _ rowCount: Int, _ validity: [UInt8]?
  ) -> ColumnData.Values {
    let count = oneOf([1, 2, 3, 20, 300, 3000])
    let used = Int.random(in: 1...count, using: &generator)
    var numbers = rows(rowCount) { UInt32.random(in: 0..<UInt32(used), using: &$0) }
    if let validity {
      for row in 0..<rowCount where validity[row] == 0 { numbers[row] = .max }
    }
    let indexes = Memory(numbers)
    func entries<T>(_ next: (inout SeededGenerator) -> T) -> [T] {
      (0..<count).map { _ in next(&generator) }
    }
    return switch kind {
    case .string: .codedStrings(indexes: indexes, TextMemory(entries(Self.text)))
    case .double: .codedDouble(indexes: indexes, Memory(entries(Self.double)))
    case .int32: .codedInt32(indexes: indexes, Memory(entries(Self.int32)))
    case .date: .codedInt32(indexes: indexes, Memory(entries(Self.day)))
    case .int64: .codedInt64(indexes: indexes, Memory(entries(Self.int64)))
    case .timestampMicrosUTC: .codedInt64(indexes: indexes, Memory(entries(Self.micros)))
    case .boolean: values(.boolean, rowCount)
    }
  }

  static func text(_ generator: inout SeededGenerator) -> String {
    let letters = ["a", "b", "z", "0", "é", "日", "🛒", "\u{0}", "\n", "\u{10FFFF}", "\u{D7FF}", "'"]
    let length =
      switch Int.random(in: 0..<40, using: &generator) {
      case 0: 0
      case 1: Int.random(in: 60...70, using: &generator)
      case 2: Int.random(in: 100...3000, using: &generator)
      default: Int.random(in: 0...18, using: &generator)
      }
    let letter = oneOf(letters, &generator)
    return oneOf([true, false], &generator)
      ? String(repeating: letter, count: length)
      : (0..<length).map { _ in oneOf(letters, &generator) }.joined()
  }

  static func double(_ generator: inout SeededGenerator) -> Double {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: oneOf([0.0, -0.0], &generator)
    case 1:
      oneOf(
        [.infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -1e300],
        &generator)
    case 2 where Int.random(in: 0..<20, using: &generator) == 0:
      oneOf([.nan, -.nan, Double(bitPattern: 0x7FF8_0000_0000_1234)], &generator)
    default: Double(Int.random(in: -50_000...50_000, using: &generator)) / 100
    }
  }

  static func int32(_ generator: inout SeededGenerator) -> Int32 {
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: oneOf([.min, .max, 0, -1], &generator)
    case 1: .random(in: .min ... .max, using: &generator)
    default: .random(in: -100...100, using: &generator)
    }
  }

  static func int64(_ generator: inout SeededGenerator) -> Int64 {
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: oneOf([.min, .max, 0, -1, 1 << 53], &generator)
    case 1: .random(in: .min ... .max, using: &generator)
    default: .random(in: -100...100, using: &generator)
    }
  }

  /// Days of the years 1 to 9999.
  static func day(_ generator: inout SeededGenerator) -> Int32 {
    .random(in: -719_162...2_932_896, using: &generator)
  }

  /// Microseconds of the years 1 to 9999, as far as Python's datetime goes.
  static func micros(_ generator: inout SeededGenerator) -> Int64 {
    Int64(day(&generator)) * 86_400_000_000 + .random(in: 0..<86_400_000_000, using: &generator)
  }

  private static func oneOf<T>(_ choices: [T], _ generator: inout SeededGenerator) -> T {
    choices.randomElement(using: &generator)!
  }

  private func oneOf<T>(_ choices: [T], _ generator: inout SeededGenerator) -> T {
    Self.oneOf(choices, &generator)
  }
}
