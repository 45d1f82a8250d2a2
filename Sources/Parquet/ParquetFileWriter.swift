/// Writes one flat Parquet file, row group by row group, to a sink.
///
/// What it makes is what the format's writer version 1 allows, which is all that some engines load:
/// data pages of version 1 with the encodings PLAIN, PLAIN_DICTIONARY and RLE, compressed with zstd
/// or not at all. Every column chunk states its null count and, where its values have an order,
/// its bounds. The same rows, options and zstd library give the same bytes.
///
/// Memory: a `WriterMemory`, which holds the buffers of one column chunk of the largest row group,
/// and for the footer a few hundred bytes a column and row group; nothing else grows with the file.
/// Rows leave for the sink in pieces of up to a few pages, the last ones with their row group.
///
/// Not sendable: one task writes a file. Several writers work side by side.
///
/// Source: the Parquet format, 2.x, "File format", "Data Pages", `parquet.thrift`.
public final class ParquetFileWriter {
  private enum State {
    case open
    case closed
  }

  private let schema: ParquetSchema
  private let options: ParquetOptions
  private let pages: PageWriter
  private let encoder: ChunkEncoder
  private var footer: FileFooter
  private var state = State.open

  /// A writer of one file.
  ///
  /// - Parameters:
  ///   - memory: shared with other writers of the same task; its own if nil.
  ///   - sink: takes the file's bytes, front to back, valid during the call only. What it throws is
  ///     thrown on, and closes the writer.
  /// - Throws: `invalidSchema`, `invalidOptions`; `compressionFailed` if memory is short.
  public init(
    schema: ParquetSchema, options: ParquetOptions, memory: WriterMemory? = nil,
    sink: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws(ParquetError) {
    try schema.validate()
    try options.validate()
    self.schema = schema
    self.options = options
    let memory = if let memory { memory } else { try WriterMemory() }
    pages = PageWriter(
      level: options.zstdLevel, columnCount: schema.columns.count, memory: memory, sink: sink)
    encoder = ChunkEncoder(options: options, pages: pages, memory: memory)
    footer = FileFooter(schema: schema)
  }

  /// Writes rows as one row group; no rows write nothing.
  ///
  /// Row groups of about 256 Ki rows suit most readers. Cost: linear in the rows and their bytes.
  ///
  /// - Parameters:
  ///   - columns: one for each column of the schema, in its order
  ///   - rowCount: how many rows every column holds
  /// - Throws: `wrongColumnCount`, `wrongType`, `unexpectedNulls`, `wrongNullCount`,
  ///   `invalidIndex`, `invalidOffsets`, `tooLarge`, `compressionFailed`, `closed`, or the sink's
  ///   own error. After any of them the writer is closed, and what the sink has is no Parquet file.
  public func writeRowGroup(_ columns: [ColumnView], rowCount: Int) throws {
    guard state == .open else { throw Self.closed }
    state = .closed
    guard columns.count == schema.columns.count else {
      throw ParquetError(
        .wrongColumnCount,
        "a row group has \(columns.count) columns, the schema \(schema.columns.count)")
    }
    guard (0...Int(Int32.max)).contains(rowCount) else {
      throw ParquetError(.tooLarge, "a row group has \(rowCount) rows, not from 0 to 2^31 - 1")
    }
    if rowCount > 0 {
      begin()
      var chunks: [ColumnChunk] = []
      chunks.reserveCapacity(columns.count)
      for (ordinal, column) in schema.columns.enumerated() {
        chunks.append(
          try encoder.encode(columns[ordinal], as: column, ordinal: ordinal, rowCount: rowCount))
      }
      footer.add(chunks, rowCount: rowCount)
      try pages.flush()
    }
    state = .open
  }

  /// Writes the footer and gives the sink the last bytes.
  ///
  /// A file of no row groups is valid and has the schema.
  ///
  /// - Throws: `closed`, or the sink's own error.
  public func finish() throws -> ParquetFileSummary {
    guard state == .open else { throw Self.closed }
    state = .closed
    begin()
    footer.laidOut(options).withUnsafeBytes { pages.add(raw: $0) }
    try pages.flush()
    return ParquetFileSummary(
      rowCount: footer.rowCount, sizeBytes: Int(pages.offset),
      rowGroupCount: footer.rowGroupCount)
  }

  private func begin() {
    pages.begin()
    if pages.offset == 0 { FileFooter.magic.withUnsafeBytes { pages.add(raw: $0) } }
  }

  private static var closed: ParquetError {
    ParquetError(.closed, "the file is finished or broken, nothing more can be written to it")
  }
}
