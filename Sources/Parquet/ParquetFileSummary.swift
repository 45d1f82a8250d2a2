/// What a finished file holds.
public struct ParquetFileSummary: Sendable, Hashable {
  /// Rows in all row groups.
  public let rowCount: Int
  /// Bytes given to the sink, magic and footer included.
  public let sizeBytes: Int
  public let rowGroupCount: Int
}
