/// How a file is written: who wrote it, how hard it is compressed, how large its parts are.
public struct ParquetOptions: Sendable {
  /// The footer's `created_by`, in the form `name version 1.2.3 (build abc)` that readers parse to
  /// tell writers apart.
  public var createdBy: String
  /// The zstd level of columns that do not name their own, from -131072 to 22.
  public var zstdLevel: Int
  /// A data page is closed at this many rows.
  public var pageRows: Int
  /// A data page is closed before its uncompressed bytes pass this; one longer value makes a page
  /// of its own.
  public var pageBytes: Int
  /// A column chunk whose dictionary page would pass this many bytes is written PLAIN.
  public var dictionaryBytes: Int
  /// Text bounds in the statistics are cut to this many bytes, and marked as inexact.
  public var boundBytes: Int
  /// Free pairs for the footer, in order.
  public var keyValueMetadata: [(key: String, value: String)]

  public init(
    createdBy: String, zstdLevel: Int = 1, pageRows: Int = 131_072, pageBytes: Int = 1 << 20,
    dictionaryBytes: Int = 1 << 20, boundBytes: Int = 64,
    keyValueMetadata: [(key: String, value: String)] = []
  ) {
    self.createdBy = createdBy
    self.zstdLevel = zstdLevel
    self.pageRows = pageRows
    self.pageBytes = pageBytes
    self.dictionaryBytes = dictionaryBytes
    self.boundBytes = boundBytes
    self.keyValueMetadata = keyValueMetadata
  }
}

extension ParquetOptions {
  /// The most that a page or a dictionary may be asked to hold: sizes in the format are signed
  /// 32-bit numbers, and a page has to leave room for its levels.
  static let maximumPageBytes = 1 << 30

  /// Throws ``ParquetError/Code/invalidOptions`` unless every size is usable.
  func validate() throws(ParquetError) {
    try Self.validate(zstdLevel: zstdLevel, column: nil)
    guard (1...Self.maximumPageBytes).contains(pageRows) else {
      throw ParquetError(.invalidOptions, "pageRows is \(pageRows), not from 1 to 2^30")
    }
    guard (1...Self.maximumPageBytes).contains(pageBytes) else {
      throw ParquetError(.invalidOptions, "pageBytes is \(pageBytes), not from 1 to 2^30")
    }
    guard (0...Self.maximumPageBytes).contains(dictionaryBytes) else {
      throw ParquetError(.invalidOptions, "dictionaryBytes is \(dictionaryBytes), not 0 to 2^30")
    }
    guard (0...65_536).contains(boundBytes) else {
      throw ParquetError(.invalidOptions, "boundBytes is \(boundBytes), not from 0 to 65536")
    }
  }

  static func validate(zstdLevel: Int, column: String?) throws(ParquetError) {
    guard ZstdCompressor.levels.contains(zstdLevel) else {
      throw ParquetError(
        .invalidOptions, "the zstd level is \(zstdLevel), not from -131072 to 22", column: column)
    }
  }
}
