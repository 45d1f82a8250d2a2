/// One nullable column of accepted rows: a value and a validity byte for each row.
///
/// The pointers are valid until the next row is added or the rows are removed.
public final class ColumnBuffer {
  /// What a column holds, and so how wide its values are.
  public enum Kind: Sendable, Equatable {
    /// UTF-8, by `offsets` and `bytes`.
    case string
    /// `Int64`: microseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// `Double`, finite.
    case double
    /// `Int32`.
    case int32
    /// `Int64`.
    case int64
    /// `UInt8`: 1 true, 0 false.
    case boolean

    /// Bytes of a slot of `values`; for strings, of an offset.
    var valueBytes: Int {
      switch self {
      case .string, .int32: 4
      case .timestamp, .double, .int64: 8
      case .boolean: 1
      }
    }
  }

  private let storage: RowStorage
  private let index: Int

  init(storage: RowStorage, index: Int) {
    self.storage = storage
    self.index = index
  }

  private var column: RowStorage.Column { storage.header.pointee.columns[index] }

  /// The contract field's name, or `_rescued_data`.
  public var name: String { storage.names[index] }

  /// What the column holds.
  public var kind: Kind { storage.kinds[index] }

  /// Rows, null or not.
  public var count: Int { storage.header.pointee.rowCount }

  /// Rows that are null.
  public var nullCount: Int { column.nullCount }

  /// One byte a row: 1 present, 0 null.
  public var validity: UnsafePointer<UInt8> { UnsafePointer(column.validity) }

  /// One value a row, of the type that `kind` tells; zero in null rows. Not for strings.
  public var values: UnsafeRawPointer { UnsafeRawPointer(column.values) }

  /// Strings only: the values one after the other, escapes undone, null rows empty.
  public var bytes: UnsafePointer<UInt8> { UnsafePointer(column.bytes) }

  /// Strings only: `count + 1` offsets into `bytes`; row `r` is `offsets[r] ..< offsets[r + 1]`.
  public var offsets: UnsafePointer<UInt32> {
    UnsafePointer(column.values.assumingMemoryBound(to: UInt32.self))
  }
}
