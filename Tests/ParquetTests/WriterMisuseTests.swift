import Foundation
import Parquet
import Testing

@Suite("Misuse of the writer")
struct WriterMisuseTests {
  private let numbers = Memory<Int32>([1, 2, 3, 4])
  private let validity = Memory<UInt8>([1, 0, 1, 1])

  private func writer(
    _ columns: [ParquetSchema.Column], _ options: ParquetOptions = ParquetOptions(createdBy: "x"),
    sink: @escaping (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws -> ParquetFileWriter {
    try ParquetFileWriter(schema: ParquetSchema(columns: columns), options: options, sink: sink)
  }

  private func column(
    _ name: String, _ kind: ParquetSchema.Column.Kind = .int32, isNullable: Bool = false
  ) -> ParquetSchema.Column {
    ParquetSchema.Column(name: name, kind: kind, isNullable: isNullable)
  }

  private func expect(
    _ code: ParquetError.Code, _ sentence: String, location: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
  ) {
    let error = #expect(throws: ParquetError.self, sourceLocation: location) { try body() }
    #expect(error?.code == code, sourceLocation: location)
    #expect(error?.description == sentence, sourceLocation: location)
  }

  @Test("a schema needs columns with distinct names")
  func schemas() {
    expect(.invalidSchema, "Parquet: a Parquet file needs at least one column (invalidSchema).") {
      _ = try writer([])
    }
    expect(.invalidSchema, "Parquet: a column has an empty name (invalidSchema).") {
      _ = try writer([column("a"), column("")])
    }
    expect(.invalidSchema, "Parquet column 'a': two columns have this name (invalidSchema).") {
      _ = try writer([column("a"), column("b"), column("a")])
    }
    // One name to a person, two to Parquet.
    #expect(throws: Never.self) { _ = try writer([column("é"), column("e\u{301}")]) }
  }

  @Test("sizes and levels out of range are refused")
  func options() {
    func options(_ change: (inout ParquetOptions) -> Void) -> ParquetOptions {
      var options = ParquetOptions(createdBy: "x")
      change(&options)
      return options
    }
    expect(
      .invalidOptions, "Parquet: the zstd level is 23, not from -131072 to 22 (invalidOptions)."
    ) {
      _ = try writer([column("a")], options { $0.zstdLevel = 23 })
    }
    for bad in [
      options { $0.pageRows = 0 }, options { $0.pageBytes = 0 }, options { $0.boundBytes = -1 },
      options { $0.dictionaryBytes = -1 }, options { $0.pageBytes = 1 << 31 },
    ] {
      let error = #expect(throws: ParquetError.self) { _ = try writer([column("a")], bad) }
      #expect(error?.code == .invalidOptions)
    }
    var leveled = column("a")
    leveled.compression = .zstd(level: 99)
    expect(
      .invalidOptions,
      "Parquet column 'a': the zstd level is 99, not from -131072 to 22 (invalidOptions)."
    ) { _ = try writer([leveled]) }
  }

  @Test("a row group has the schema's columns, of the schema's kinds")
  func columns() throws {
    let view = ColumnView(values: .int32(numbers.pointer))
    expect(
      .wrongColumnCount, "Parquet: a row group has 1 columns, the schema 2 (wrongColumnCount)."
    ) {
      try writer([column("a"), column("b")]).writeRowGroup([view], rowCount: 4)
    }
    for kind in ParquetSchema.Column.Kind.allCases where kind != .int32 && kind != .date {
      expect(
        .wrongType,
        "Parquet column 'a': the values are not of the kind \(kind.rawValue) (wrongType)."
      ) { try writer([column("a", kind)]).writeRowGroup([view], rowCount: 4) }
    }
    expect(.tooLarge, "Parquet: a row group has -1 rows, not from 0 to 2^31 - 1 (tooLarge).") {
      try writer([column("a")]).writeRowGroup([view], rowCount: -1)
    }
  }

  @Test("nulls are announced, marked and allowed")
  func nulls() throws {
    func write(_ view: ColumnView, isNullable: Bool) throws {
      try writer([column("a", isNullable: isNullable)]).writeRowGroup([view], rowCount: 4)
    }
    let values = ColumnView.Values.int32(numbers.pointer)
    let marked = ColumnView(values: values, validity: validity.pointer, nullCount: 1)
    expect(.unexpectedNulls, "Parquet column 'a': 1 nulls in a REQUIRED column (unexpectedNulls).")
    {
      try write(marked, isNullable: false)
    }
    expect(
      .wrongNullCount,
      "Parquet column 'a': 2 nulls are announced, but 1 are marked (wrongNullCount)."
    ) {
      try write(
        ColumnView(values: values, validity: validity.pointer, nullCount: 2), isNullable: true)
    }
    expect(
      .wrongNullCount,
      "Parquet column 'a': 1 nulls are announced, but no validity is given (wrongNullCount)."
    ) { try write(ColumnView(values: values, nullCount: 1), isNullable: true) }
    #expect(throws: Never.self) { try write(marked, isNullable: true) }
  }

  @Test("a dictionary index past the entries is refused, but not in a null row")
  func indexes() throws {
    let indexes = Memory<UInt32>([0, 4, 3, 2])
    let values = ColumnView.Values.int32Dictionary(
      indexes: indexes.pointer, entries: numbers.pointer, entryCount: 4)
    expect(
      .invalidIndex,
      "Parquet column 'a': a dictionary index is not below the entry count 4 (invalidIndex)."
    ) {
      try writer([column("a")]).writeRowGroup([ColumnView(values: values)], rowCount: 4)
    }
    #expect(throws: Never.self) {
      try writer([column("a", isNullable: true)]).writeRowGroup(
        [ColumnView(values: values, validity: validity.pointer, nullCount: 1)], rowCount: 4)
    }
  }

  @Test("offsets that fall are refused, of rows and of entries")
  func offsets() throws {
    let offsets = Memory<UInt32>([0, 1_000_000, 5, 6, 7])
    let bytes = Memory<UInt8>(Array("abcdefg".utf8))
    let indexes = Memory<UInt32>([2, 2, 2, 2])
    let views: [ColumnView.Values] = [
      .strings(bytes: bytes.pointer, offsets: offsets.pointer),
      .dictionary(
        indexes: indexes.pointer, bytes: bytes.pointer, offsets: offsets.pointer, entryCount: 4),
    ]
    for values in views {
      expect(
        .invalidOffsets,
        "Parquet column 'a': an offset is less than the one before it (invalidOffsets)."
      ) {
        try writer([column("a", .string)]).writeRowGroup([ColumnView(values: values)], rowCount: 4)
      }
    }
  }

  @Test("nothing is written after the end or after an error")
  func closed() throws {
    let view = ColumnView(values: .int32(numbers.pointer))
    let sentence =
      "Parquet: the file is finished or broken, nothing more can be written to it (closed)."
    let finished = try writer([column("a")])
    _ = try finished.finish()
    expect(.closed, sentence) { try finished.writeRowGroup([view], rowCount: 4) }
    expect(.closed, sentence) { _ = try finished.finish() }
    let broken = try writer([column("a")])
    #expect(throws: ParquetError.self) { try broken.writeRowGroup([], rowCount: 4) }
    expect(.closed, sentence) { try broken.writeRowGroup([view], rowCount: 4) }
    expect(.closed, sentence) { _ = try broken.finish() }
  }

  @Test("the sink's own error reaches the caller and closes the writer")
  func sinkErrors() throws {
    struct DiskFull: Error {}
    let failing = try writer([column("a")]) { _ in throw DiskFull() }
    #expect(throws: DiskFull.self) {
      try failing.writeRowGroup([ColumnView(values: .int32(numbers.pointer))], rowCount: 4)
    }
    let error = #expect(throws: ParquetError.self) { try failing.finish() }
    #expect(error?.code == .closed)
  }
}
