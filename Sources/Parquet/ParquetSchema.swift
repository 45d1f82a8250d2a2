/// The columns of a Parquet file, in file order.
///
/// Flat files only: every column is a leaf of the root (Parquet's `schema.thrift` tree of depth
/// one), either REQUIRED or OPTIONAL.
public struct ParquetSchema: Sendable, Hashable {
  public var columns: [Column]

  /// A schema of these columns. Checked when a writer is made from it.
  public init(columns: [Column]) {
    self.columns = columns
  }

  /// One column: its name, what it holds, and how it is stored.
  public struct Column: Sendable, Hashable {
    /// UTF-8, not empty, unique within the schema. Dots have no meaning.
    public var name: String
    public var kind: Kind
    /// OPTIONAL in the file when true, else REQUIRED.
    public var isNullable: Bool
    public var encoding: Encoding
    public var compression: Compression

    public init(
      name: String, kind: Kind, isNullable: Bool, encoding: Encoding = .automatic,
      compression: Compression = .automatic
    ) {
      self.name = name
      self.kind = kind
      self.isNullable = isNullable
      self.encoding = encoding
      self.compression = compression
    }
  }
}

extension ParquetSchema.Column {
  /// What a column holds, and so its physical and logical type.
  ///
  /// Source: LogicalTypes of the Parquet format. Each logical type is also written as the older
  /// ConvertedType, which readers from before 2.4 of the format look at.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// UTF-8 text: BYTE_ARRAY, STRING (UTF8).
    case string
    /// IEEE 754 binary64: DOUBLE.
    case double
    /// INT32.
    case int32
    /// INT64.
    case int64
    /// Microseconds since 1970-01-01T00:00:00Z: INT64, TIMESTAMP(MICROS, isAdjustedToUTC)
    /// (TIMESTAMP_MICROS).
    case timestampMicrosUTC
    /// BOOLEAN.
    case boolean
    /// Days since 1970-01-01: INT32, DATE (DATE).
    case date
  }

  /// How a column's values are laid out.
  public enum Encoding: Sendable, Hashable {
    /// A dictionary where the row group's values repeat enough to make it smaller, else PLAIN.
    case automatic
    /// PLAIN always: for a column known to be distinct, spares the search for repeats.
    case plain
    /// Differences, which a version 1 writer does not know and some engines do not load:
    /// DELTA_BINARY_PACKED for integers, dates and times, DELTA_LENGTH_BYTE_ARRAY for texts. Other
    /// kinds, and values that the caller has coded, are as with `automatic`.
    case delta
  }

  /// How a column's pages are compressed.
  ///
  /// Whatever is asked for, a column chunk of which the first page saves less than a tenth is
  /// stored uncompressed.
  public enum Compression: Sendable, Hashable {
    /// zstd at the level of ``ParquetOptions/zstdLevel``; text that is close to random, such as
    /// UUIDs, and numbers that follow each other in ways that take less time for a like size.
    case automatic
    /// zstd at this level, from -131072 to 22; numbers that count up in a way that takes less time
    /// for no larger size.
    case zstd(level: Int)
    /// Stored uncompressed.
    case none
  }
}

extension ParquetSchema {
  /// Throws ``ParquetError/Code/invalidSchema`` unless the names are usable and distinct.
  func validate() throws(ParquetError) {
    guard !columns.isEmpty else {
      throw ParquetError(.invalidSchema, "a Parquet file needs at least one column")
    }
    // By bytes: a Swift String also equals another spelling of the same characters.
    var seen = Set<[UInt8]>()
    for column in columns {
      guard !column.name.isEmpty else {
        throw ParquetError(.invalidSchema, "a column has an empty name")
      }
      guard seen.insert(Array(column.name.utf8)).inserted else {
        throw ParquetError(.invalidSchema, "two columns have this name", column: column.name)
      }
      if case .zstd(let level) = column.compression {
        try ParquetOptions.validate(zstdLevel: level, column: column.name)
      }
    }
  }
}
