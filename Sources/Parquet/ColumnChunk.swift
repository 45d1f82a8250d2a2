/// What the footer says of one column in one row group.
struct ColumnChunk {
  var codec = Codec.uncompressed
  var encoding = PageEncoding.plain
  /// From the start of the file, in bytes.
  var dictionaryPageOffset: Int64?
  var dataPageOffset: Int64 = 0
  var dataPageCount: Int32 = 0
  /// Rows, nulls among them.
  var valueCount: Int64 = 0
  /// Sizes of all pages, headers included.
  var uncompressedBytes: Int64 = 0
  var compressedBytes: Int64 = 0
  var nullCount: Int64 = 0
  var bounds: ColumnBounds?

  /// Where its first page begins.
  var offset: Int64 { dictionaryPageOffset ?? dataPageOffset }
}
