/// The file's metadata: `FileMetaData` of `parquet.thrift`, gathered row group by row group.
struct FileFooter: ~Copyable {
  private let schema: ParquetSchema
  private var rowGroups = ThriftCompactWriter()
  private(set) var rowGroupCount = 0
  private(set) var rowCount = 0

  init(schema: ParquetSchema) {
    self.schema = schema
  }

  /// Takes in a row group whose columns are written, in schema order.
  mutating func add(_ chunks: [ColumnChunk], rowCount: Int) {
    let ordinal = Int16(exactly: rowGroupCount)
    let columns = schema.columns
    rowGroups.element(structure: {
      $0.field(1, listOf: .structure, count: chunks.count)
      for (column, chunk) in zip(columns, chunks) {
        $0.element(structure: {
          // file_offset points at metadata outside the footer, of which there is none.
          $0.field(2, Int64(0))
          $0.field(3, structure: { Self.write(chunk, of: column, to: &$0) })
        })
      }
      $0.field(2, chunks.reduce(0) { $0 + $1.uncompressedBytes })
      $0.field(3, Int64(rowCount))
      $0.field(5, chunks.first.map(\.offset) ?? 0)
      $0.field(6, chunks.reduce(0) { $0 + $1.compressedBytes })
      if let ordinal { $0.field(7, int16: ordinal) }
    })
    rowGroupCount += 1
    self.rowCount += rowCount
  }

  /// The footer with its length and the closing magic.
  func laidOut(_ options: ParquetOptions) -> [UInt8] {
    var writer = ThriftCompactWriter()
    writer.element(structure: {
      $0.field(1, Int32(1))
      write(schemaTo: &$0)
      $0.field(3, Int64(rowCount))
      $0.field(4, listOf: .structure, count: rowGroupCount)
      $0.elements(rowGroups.bytes)
      if !options.keyValueMetadata.isEmpty {
        $0.field(5, listOf: .structure, count: options.keyValueMetadata.count)
        for (key, value) in options.keyValueMetadata {
          $0.element(structure: {
            $0.field(1, key)
            $0.field(2, value)
          })
        }
      }
      $0.field(6, options.createdBy)
      $0.field(7, listOf: .structure, count: schema.columns.count)
      for _ in schema.columns {
        // TYPE_ORDER: the bounds follow the order of the logical type.
        $0.element(structure: { $0.field(1, structure: { _ in }) })
      }
    })
    let length = UInt32(writer.count)
    writer.buffer.append(littleEndian: length)
    return Array(writer.bytes) + FileFooter.magic
  }

  /// "PAR1", first and last in a file.
  static let magic: [UInt8] = [0x50, 0x41, 0x52, 0x31]

  private func write(schemaTo writer: inout ThriftCompactWriter) {
    writer.field(2, listOf: .structure, count: schema.columns.count + 1)
    writer.element(structure: {
      $0.field(4, "schema")
      $0.field(5, Int32(schema.columns.count))
    })
    for column in schema.columns {
      writer.element(structure: {
        $0.field(1, column.kind.physicalType.rawValue)
        $0.field(3, Int32(column.isNullable ? 1 : 0))
        $0.field(4, column.name)
        if let converted = column.kind.convertedType { $0.field(6, converted.rawValue) }
        Self.write(logicalTypeOf: column.kind, to: &$0)
      })
    }
  }

  /// `LogicalType`, a union: the field's number is the type.
  private static func write(
    logicalTypeOf kind: ParquetSchema.Column.Kind, to writer: inout ThriftCompactWriter
  ) {
    switch kind {
    case .string:
      writer.field(10, structure: { $0.field(1, structure: { _ in }) })
    case .date:
      writer.field(10, structure: { $0.field(6, structure: { _ in }) })
    case .timestampMicrosUTC:
      writer.field(
        10,
        structure: {
          $0.field(
            8,
            structure: {
              $0.field(1, true)
              $0.field(2, structure: { $0.field(2, structure: { _ in }) })
            })
        })
    case .double, .int32, .int64, .boolean:
      break
    }
  }

  /// `ColumnMetaData`.
  private static func write(
    _ chunk: ColumnChunk, of column: ParquetSchema.Column, to writer: inout ThriftCompactWriter
  ) {
    // RLE: the levels, and the indexes of a dictionary.
    let encodings: [PageEncoding] = [chunk.encoding, .rle]
    writer.field(1, column.kind.physicalType.rawValue)
    writer.field(2, listOf: .int32, count: encodings.count)
    for encoding in encodings { writer.element(encoding.rawValue) }
    writer.field(3, listOf: .binary, count: 1)
    writer.element(column.name)
    writer.field(4, chunk.codec.rawValue)
    writer.field(5, chunk.valueCount)
    writer.field(6, chunk.uncompressedBytes)
    writer.field(7, chunk.compressedBytes)
    writer.field(9, chunk.dataPageOffset)
    if let offset = chunk.dictionaryPageOffset { writer.field(11, offset) }
    writer.field(
      12,
      structure: {
        $0.field(3, chunk.nullCount)
        guard let bounds = chunk.bounds else { return }
        $0.field(5, bounds.upper)
        $0.field(6, bounds.lower)
        $0.field(7, bounds.isUpperExact)
        $0.field(8, bounds.isLowerExact)
      })
    var pages = [(PageType.data, chunk.dataPageCount)]
    if chunk.dictionaryPageOffset != nil { pages.insert((.dictionary, 1), at: 0) }
    writer.field(13, listOf: .structure, count: pages.count)
    for (type, count) in pages {
      writer.element(structure: {
        $0.field(1, type.rawValue)
        $0.field(2, chunk.encoding.rawValue)
        $0.field(3, count)
      })
    }
  }
}
