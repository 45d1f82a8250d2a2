import Contract
import Lake
import ObjectStore
import Parquet

/// One Parquet file of one UTC date, row group by row group.
final class BronzeFile {
  private(set) var rowCount = 0
  /// Bytes so far.
  var sizeBytes: Int { writer.sizeBytes }
  private let writer: HashedWriter
  private let parquet: ParquetFileWriter

  /// - Parameter memory: shared by the files of one worker.
  init(
    day: String, batch: BatchID, number: Int, contract: EventContract, encodings: BronzeEncodings,
    memory: WriterMemory, store: any ObjectStore
  ) throws {
    let key = LakeLayout.bronzeFile(day: day, batch: batch, number: number)
    let writer = try HashedWriter(key, batch: batch, in: store)
    self.writer = writer
    parquet = try ParquetFileWriter(
      schema: Self.schema(contract, encodings),
      options: ParquetOptions(createdBy: Version.createdBy),
      memory: memory
    ) { try writer.write($0) }
  }

  /// Writes `rows` as one row group.
  ///
  /// - Parameter sources: the raw objects' keys by the index that the rows carry.
  // Inlined into async code, Swift 6.3.1 loses an error thrown from these nested closures.
  @inline(never)
  func append(_ rows: EventColumns, sources: SourceKeys) throws {
    try sources.withColumn(rows.objectIndexes) { objects in
      var scratch: [ViewMemory] = []
      let lines = ColumnView(values: .int64(rows.lineNumbers.baseAddress!))
      let columns = rows.columns.map { view($0, &scratch) }
      try withExtendedLifetime(scratch) {
        try parquet.writeRowGroup(columns + [objects, lines], rowCount: rows.rowCount)
      }
    }
    rowCount += rows.rowCount
  }

  /// Writes what ends the file. Nobody writes to it any more.
  func end() throws -> WrittenFile {
    _ = try parquet.finish()
    return WrittenFile(writer: writer, rows: rowCount)
  }

  // MARK: -

  /// The contract's fields, then what bronze adds. `dt` is in the path.
  private static func schema(
    _ contract: EventContract, _ encodings: BronzeEncodings
  ) -> ParquetSchema {
    let distinct: ParquetSchema.Column.Encoding = encodings == .version2 ? .delta : .plain
    var columns = contract.fields.enumerated().map { index, field in
      let isRequired = index == contract.idIndex || index == contract.timestampIndex
      return ParquetSchema.Column(
        name: field.name, kind: kind(field.type), isNullable: !isRequired,
        // Ids and instants are nearly all different: to look for repeats would be wasted.
        encoding: isRequired ? distinct : .automatic)
    }
    columns += [
      ParquetSchema.Column(name: "_rescued_data", kind: .string, isNullable: true),
      ParquetSchema.Column(name: "_source_object", kind: .string, isNullable: false),
      // What counts up packs best, and quickest, as it is and at this level.
      ParquetSchema.Column(
        name: "_source_line", kind: .int64, isNullable: false, encoding: distinct,
        compression: .zstd(level: 3)),
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

  private func view(_ column: ColumnBuffer, _ scratch: inout [ViewMemory]) -> ColumnView {
    let values: ColumnView.Values
    var validity = column.validity
    switch column.content {
    case .texts(let bytes, let offsets): values = .strings(bytes: bytes, offsets: offsets)
    case .prefixedTexts(let bytes, let offsets):
      values = .prefixedStrings(bytes: bytes, offsets: offsets)
    case .values(let start):
      values =
        switch column.kind {
        case .timestamp, .int64, .string: .int64(start.assumingMemoryBound(to: Int64.self))
        case .double: .double(start.assumingMemoryBound(to: Double.self))
        case .int32: .int32(start.assumingMemoryBound(to: Int32.self))
        case .boolean: .boolean(start.assumingMemoryBound(to: UInt8.self))
        }
    case .codes(let codes, let entries):
      if column.nullCount > 0 { validity = ViewMemory.validity(codes, column.count, &scratch) }
      values = ViewMemory.values(column.kind, codes, column.count, entries, &scratch)
    }
    return ColumnView(
      values: values, validity: column.nullCount == 0 ? nil : validity,
      nullCount: column.nullCount)
  }
}

/// Memory of a view of codes that do not lie as Parquet's writer wants them; freed with the last
/// reference.
private final class ViewMemory {
  let bytes: UnsafeMutableRawPointer

  init(byteCount: Int) { bytes = .allocate(byteCount: max(1, byteCount), alignment: 16) }

  deinit { bytes.deallocate() }

  /// One byte a row, zero for the code of null.
  static func validity(
    _ codes: UnsafePointer<UInt32>, _ count: Int, _ kept: inout [ViewMemory]
  ) -> UnsafePointer<UInt8> {
    let memory = ViewMemory(byteCount: count)
    kept.append(memory)
    let flags = memory.bytes.bindMemory(to: UInt8.self, capacity: count)
    for row in 0..<count { flags[row] = codes[row] == 0 ? 0 : 1 }
    return UnsafePointer(flags)
  }

  static func values(
    _ kind: ColumnBuffer.Kind, _ codes: UnsafePointer<UInt32>, _ count: Int,
    _ entries: ColumnBuffer.Values, _ kept: inout [ViewMemory]
  ) -> ColumnView.Values {
    let bits = UnsafeRawPointer(entries.bits)
    switch kind {
    case .string:
      return .dictionary(
        indexes: codes, bytes: entries.bytes, offsets: entries.offsets, entryCount: entries.count)
    case .double:
      return .doubleDictionary(
        indexes: codes, entries: bits.assumingMemoryBound(to: Double.self),
        entryCount: entries.count)
    case .int64, .timestamp:
      return .int64Dictionary(
        indexes: codes, entries: bits.assumingMemoryBound(to: Int64.self),
        entryCount: entries.count)
    case .int32:
      let memory = ViewMemory(byteCount: entries.count * 4)
      kept.append(memory)
      let numbers = memory.bytes.bindMemory(to: Int32.self, capacity: entries.count)
      for code in 0..<entries.count {
        numbers[code] = Int32(truncatingIfNeeded: entries.bits[code])
      }
      return .int32Dictionary(
        indexes: codes, entries: UnsafePointer(numbers), entryCount: entries.count)
    case .boolean:
      let memory = ViewMemory(byteCount: count)
      kept.append(memory)
      let flags = memory.bytes.bindMemory(to: UInt8.self, capacity: count)
      for row in 0..<count {
        flags[row] = UInt8(truncatingIfNeeded: entries.bits[Int(codes[row])])
      }
      return .boolean(UnsafePointer(flags))
    }
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
