import Contract
import Lake
import ObjectStore
import Parquet

/// One Parquet file of one UTC date, row group by row group.
final class BronzeFile {
  private(set) var rowCount = 0
  private let writer: HashedWriter
  private let parquet: ParquetFileWriter

  init(day: String, batch: BatchID, number: Int, contract: EventContract, store: any ObjectStore)
    throws
  {
    let key = LakeLayout.bronzeFile(day: day, batch: batch, number: number)
    let writer = try HashedWriter(key, batch: batch, in: store)
    self.writer = writer
    parquet = try ParquetFileWriter(
      schema: Self.schema(contract), options: ParquetOptions(createdBy: Version.createdBy)
    ) { try writer.write($0) }
  }

  /// Writes `rows` as one row group.
  ///
  /// - Parameter sources: the raw objects' keys by the index that the rows carry.
  // Inlined into async code, Swift 6.3.1 loses an error thrown from these nested closures.
  @inline(never)
  func append(_ rows: EventColumns, sources: SourceKeys) throws {
    try sources.withColumn(rows.objectIndexes) { objects in
      let lines = ColumnView(values: .int64(rows.lineNumbers.baseAddress!))
      try parquet.writeRowGroup(
        rows.columns.map(Self.view) + [objects, lines], rowCount: rows.rowCount)
    }
    rowCount += rows.rowCount
  }

  func finish() async throws -> Commit.File {
    _ = try parquet.finish()
    return try await writer.finish(rows: rowCount)
  }

  // MARK: -

  /// The contract's fields, then what bronze adds. `dt` is in the path.
  private static func schema(_ contract: EventContract) -> ParquetSchema {
    var columns = contract.fields.enumerated().map { index, field in
      let isRequired = index == contract.idIndex || index == contract.timestampIndex
      return ParquetSchema.Column(
        name: field.name, kind: kind(field.type), isNullable: !isRequired,
        // Ids are all different: looking for repeats among them would be wasted.
        encoding: index == contract.idIndex ? .plain : .automatic)
    }
    columns += [
      ParquetSchema.Column(name: "_rescued_data", kind: .string, isNullable: true),
      ParquetSchema.Column(name: "_source_object", kind: .string, isNullable: false),
      ParquetSchema.Column(name: "_source_line", kind: .int64, isNullable: false),
    ]
    return ParquetSchema(columns: columns)
  }

  private static func kind(_ type: EventContract.FieldType) -> ParquetSchema.Column.Kind {
    switch type {
    case .string: .string
    case .timestamp: .timestampMicrosUTC
    case .double: .double
    case .int32: .int32
    case .int64: .int64
    case .boolean: .boolean
    }
  }

  private static func view(_ column: ColumnBuffer) -> ColumnView {
    let values: ColumnView.Values =
      switch column.kind {
      case .string: .strings(bytes: column.bytes, offsets: column.offsets)
      case .timestamp, .int64: .int64(column.values.assumingMemoryBound(to: Int64.self))
      case .double: .double(column.values.assumingMemoryBound(to: Double.self))
      case .int32: .int32(column.values.assumingMemoryBound(to: Int32.self))
      case .boolean: .boolean(column.values.assumingMemoryBound(to: UInt8.self))
      }
    return ColumnView(
      values: values, validity: column.nullCount == 0 ? nil : column.validity,
      nullCount: column.nullCount)
  }
}

/// The keys of a worker's raw objects, laid out as a dictionary of the column `_source_object`.
struct SourceKeys {
  private(set) var count = 0
  private(set) var last: String?
  private var bytes: [UInt8] = []
  private var offsets: [UInt32] = [0]

  mutating func append(_ key: String) {
    count += 1
    last = key
    bytes.append(contentsOf: key.utf8)
    offsets.append(UInt32(bytes.count))
  }

  /// The column of rows that carry these indexes of keys.
  func withColumn(
    _ indexes: UnsafeBufferPointer<UInt32>, _ body: (ColumnView) throws -> Void
  ) throws {
    try bytes.withUnsafeBufferPointer { bytes in
      try offsets.withUnsafeBufferPointer { offsets in
        try body(
          ColumnView(
            values: .dictionary(
              indexes: indexes.baseAddress!, bytes: bytes.baseAddress!,
              offsets: offsets.baseAddress!, entryCount: count)))
      }
    }
  }
}
