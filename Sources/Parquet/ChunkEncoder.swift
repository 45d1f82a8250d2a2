/// Turns columns of a row group into pages.
///
/// Its memory is reused from chunk to chunk. Not sendable: one task writes a file.
final class ChunkEncoder {
  let options: ParquetOptions
  let pages: PageWriter
  let memory: WriterMemory

  /// The largest page body: sizes are signed 32-bit numbers, and zstd may add a little.
  private static let maximumBodyBytes = Int(Int32.max) - (1 << 24)

  init(options: ParquetOptions, pages: PageWriter, memory: WriterMemory) {
    self.options = options
    self.pages = pages
    self.memory = memory
  }

  /// Writes one column of a row group; `ordinal` is its place in the schema.
  func encode(
    _ view: ColumnView, as column: ParquetSchema.Column, ordinal: Int, rowCount: Int
  ) throws -> ColumnChunk {
    let rows = try RowPresence(view, rowCount: rowCount, column: column)
    let plan = ChunkPlan(column: column, ordinal: ordinal, rows: rows)
    pages.beginChunk(column.compression)
    var bounds: ColumnBounds?
    switch (column.kind, view.values) {
    case (.string, .strings(let bytes, let offsets)) where column.encoding == .delta:
      bounds = try encodeDelta(plan, bytes: bytes, offsets: offsets)
    case (.string, .prefixedStrings(let bytes, let offsets)) where column.encoding == .delta:
      bounds = try encodeDelta(plan, bytes: bytes, offsets: offsets, prefix: 4)
    case (.int32, .int32(let values)) where column.encoding == .delta,
      (.date, .int32(let values)) where column.encoding == .delta:
      bounds = try encodeDelta(plan, values: values)
    case (.int64, .int64(let values)) where column.encoding == .delta,
      (.timestampMicrosUTC, .int64(let values)) where column.encoding == .delta:
      bounds = try encodeDelta(plan, values: values)
    case (.string, .strings(let bytes, let offsets)):
      bounds = try encode(plan, bytes: bytes, offsets: offsets)
    case (.string, .prefixedStrings(let bytes, let offsets)):
      bounds = try encode(plan, prefixed: bytes, offsets: offsets)
    case (.string, .dictionary(let indexes, let bytes, let offsets, let entryCount)):
      bounds = try encode(
        plan, indexes: indexes, bytes: bytes, offsets: offsets, entryCount: entryCount)
    case (.int32, .int32(let values)), (.date, .int32(let values)):
      bounds = try encode(plan, values: values)
    case (.int64, .int64(let values)), (.timestampMicrosUTC, .int64(let values)):
      bounds = try encode(plan, values: values)
    case (.double, .double(let values)):
      bounds = try encode(plan, values: values)
    case (.int32, .int32Dictionary(let indexes, let entries, let entryCount)),
      (.date, .int32Dictionary(let indexes, let entries, let entryCount)):
      bounds = try encode(plan, indexes: indexes, entries: entries, entryCount: entryCount)
    case (.int64, .int64Dictionary(let indexes, let entries, let entryCount)),
      (.timestampMicrosUTC, .int64Dictionary(let indexes, let entries, let entryCount)):
      bounds = try encode(plan, indexes: indexes, entries: entries, entryCount: entryCount)
    case (.double, .doubleDictionary(let indexes, let entries, let entryCount)):
      bounds = try encode(plan, indexes: indexes, entries: entries, entryCount: entryCount)
    case (.boolean, .boolean(let values)):
      bounds = try encode(plan, flags: values)
    default:
      throw ParquetError(
        .wrongType, "the values are not of the kind \(column.kind.rawValue)", column: column.name)
    }
    var chunk = pages.endChunk()
    chunk.nullCount = Int64(rows.nullCount)
    chunk.bounds = bounds
    return chunk
  }

  /// One column chunk to be written.
  struct ChunkPlan {
    let column: ParquetSchema.Column
    let ordinal: Int
    let rows: RowPresence
  }

  /// Room for the chunk's indexes.
  func indexes(_ count: Int) -> UnsafeMutablePointer<UInt32> {
    memory.indexes.elements(count, of: UInt32.self)
  }

  /// A byte a row of a page.
  func scratch(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    memory.scratch.elements(count, of: UInt8.self)
  }

  /// Writes the chunk's data pages one after the other.
  ///
  /// - Parameters:
  ///   - pageEnd: the row after a page's last, given its first row and first value
  ///   - room: the bytes that a page's values take at most
  ///   - fill: writes a page's values, given its rows and the places of its values among those of
  ///     the chunk that are not null; gives the bytes written
  func writePages(
    _ plan: ChunkPlan,
    pageEnd: (_ row: Int, _ value: Int) -> Int,
    room: (_ rows: Range<Int>, _ values: Range<Int>) -> Int,
    fill: (_ rows: Range<Int>, _ values: Range<Int>, _ target: UnsafeMutableRawPointer) -> Int
  ) throws {
    var row = 0
    var value = 0
    while row < plan.rows.count {
      let rows = row..<pageEnd(row, value)
      let values = value..<(value + appendLevels(plan, rows))
      let roomBytes = room(rows, values)
      guard memory.body.count + roomBytes <= Self.maximumBodyBytes else {
        throw ParquetError(
          .tooLarge, "a page would take \(roomBytes) bytes, over 2 GiB", column: plan.column.name)
      }
      memory.body.reserve(roomBytes)
      memory.body.count += fill(rows, values, memory.body.end)
      if row == 0, plan.column.kind == .string, plan.column.compression == .automatic {
        try pages.chooseSetting(forText: memory.body.bytes, column: plan.ordinal)
      }
      try pages.add(
        data: memory.body.bytes, rowCount: rows.count,
        share: Double(rows.count) / Double(plan.rows.count))
      row = rows.upperBound
      value = values.upperBound
    }
  }

  /// Writes a data page of rows whose values lie in memory as the page has them, none of them null.
  func writePage(
    _ plan: ChunkPlan, _ rows: Range<Int>, plain values: UnsafeRawBufferPointer
  ) throws {
    var page = values
    if plan.column.isNullable {
      _ = appendLevels(plan, rows)
      memory.body.append(values)
      page = memory.body.bytes
    }
    if !plan.column.isNullable {
      let isFree = plan.column.compression == .automatic
      if plan.column.kind == .string, isFree {
        try pages.chooseSetting(
          forText: page, column: plan.ordinal,
          width: FixedTextFrames.width(of: page, count: rows.count))
      } else if plan.column.kind != .string, values.count == rows.count * 8 {
        try pages.chooseSetting(forNumbers: page, column: plan.ordinal, isFree: isFree)
      }
    }
    try pages.add(
      data: page, rowCount: rows.count, share: Double(rows.count) / Double(plan.rows.count))
  }

  /// Writes the pages of a chunk that has a dictionary.
  func writeIndexPages(
    _ plan: ChunkPlan, _ indexes: UnsafePointer<UInt32>, entryCount: Int
  ) throws {
    let bitWidth = BitPacking.bitWidth(below: entryCount)
    let rowsPerPage = min(options.pageRows, max(1, options.pageBytes * 8 / bitWidth))
    try writePages(plan) { row, _ in
      min(plan.rows.count, row + rowsPerPage)
    } room: { _, values in
      1 + RunLengthEncoder.bound(values.count, bitWidth: bitWidth)
    } fill: { _, values, target in
      target.storeBytes(of: UInt8(bitWidth), as: UInt8.self)
      return 1
        + RunLengthEncoder.encode(
          indexes: indexes + values.lowerBound, count: values.count, bitWidth: bitWidth,
          to: target + 1)
    }
  }

  /// Begins a page with its definition levels; gives the rows of it that are not null.
  ///
  /// A REQUIRED column has none, and a flat file has no repetition levels.
  private func appendLevels(_ plan: ChunkPlan, _ rows: Range<Int>) -> Int {
    memory.body.count = 0
    guard plan.column.isNullable else { return rows.count }
    memory.body.reserve(4 + RunLengthEncoder.bound(rows.count, bitWidth: 1))
    var valueCount = rows.count
    let byteCount: Int
    if let validity = plan.rows.validity {
      (byteCount, valueCount) = RunLengthEncoder.encode(
        validity: validity + rows.lowerBound, count: rows.count,
        scratch: scratch(rows.count / 8 + 1), to: memory.body.start + 4)
    } else {
      byteCount = RunLengthEncoder.encodeAllSet(count: rows.count, to: memory.body.start + 4)
    }
    memory.body.append(littleEndian: UInt32(byteCount))
    memory.body.count += byteCount
    return valueCount
  }
}
