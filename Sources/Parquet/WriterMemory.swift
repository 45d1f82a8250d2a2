/// The buffers and the zstd context of a file writer, for writers that take turns.
///
/// A writer holds nothing in them between two row groups, so files that are open at the same time
/// can share one: what they need is then allocated once, not once a file, and what was found out
/// about a column holds for all of them. They must have the same schema. Not sendable: one task
/// writes all of them.
public final class WriterMemory {
  var dictionary = DictionaryBuilder()
  var compactor = EntryCompactor()
  /// An index for each value of a chunk that is not null.
  var indexes = ByteBuffer()
  /// The page at hand.
  var body = ByteBuffer()
  /// A byte or less for each row of the page at hand.
  var scratch = ByteBuffer()
  /// What the sink does not have yet.
  var out = ByteBuffer(capacity: WriterMemory.flushBytes * 2)
  var header = ThriftCompactWriter()
  let compressor: ZstdCompressor
  /// The compression that suits a column, by its place in the schema, once tried: files that share
  /// this have the same columns.
  var chosen: [ZstdCompressor.Setting?] = []

  static let flushBytes = 1 << 18

  /// - Throws: `compressionFailed` if memory is short.
  public init() throws(ParquetError) {
    compressor = try ZstdCompressor()
  }

  func prepare(_ columnCount: Int) {
    if chosen.count != columnCount { chosen = Array(repeating: nil, count: columnCount) }
  }
}
