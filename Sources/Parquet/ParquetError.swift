/// Why a file could not be written.
///
/// Every code but ``Code/closed`` and ``Code/compressionFailed`` names a mistake of the caller: the
/// same call fails again. The writer is closed by any error. An error of the sink is not wrapped:
/// it reaches the caller as it was thrown.
public struct ParquetError: Error, Sendable, Hashable {
  /// Stable names for what went wrong.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// No columns, an empty name, or two columns of one name.
    case invalidSchema
    /// A size or level out of its range.
    case invalidOptions
    /// A row group with more or fewer columns than the schema.
    case wrongColumnCount
    /// Values of another type than the column's kind.
    case wrongType
    /// Nulls in a REQUIRED column.
    case unexpectedNulls
    /// `nullCount` and `validity` disagree.
    case wrongNullCount
    /// A dictionary index at or past the entry count.
    case invalidIndex
    /// Offsets of texts that fall.
    case invalidOffsets
    /// A row group or a value beyond what the format can hold.
    case tooLarge
    /// zstd refused to work.
    case compressionFailed
    /// A write after `finish()`, or after an error.
    case closed
  }

  public let code: Code
  /// What is wrong, as one clause without the column's name.
  public let message: String
  /// The column at fault, where there is one.
  public let column: String?

  init(_ code: Code, _ message: String, column: String? = nil) {
    self.code = code
    self.message = message
    self.column = column
  }
}

extension ParquetError: CustomStringConvertible {
  /// One sentence: `Parquet column 'price': two columns have this name (invalidSchema).`
  public var description: String {
    let place = column.map { "Parquet column '\($0)'" } ?? "Parquet"
    return "\(place): \(message) (\(code.rawValue))."
  }
}
