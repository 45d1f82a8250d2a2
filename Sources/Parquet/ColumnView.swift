/// One column of one row group, as memory that the caller owns.
///
/// The pointers must stay valid and unchanged during the call they are passed to, and are not kept
/// after it. Every row has a slot in `values`, null or not; what stands in a null row's slot is not
/// looked at.
public struct ColumnView {
  /// The values, in row order, by their type in memory.
  ///
  /// `strings` lie end to end: row `i` is `bytes[offsets[i]..<offsets[i + 1]]`, so there is one
  /// offset more than rows, and offsets never fall, which is checked. Text must be valid UTF-8,
  /// which is not checked: other bytes are stored as they are, and make a file that some readers
  /// refuse.
  ///
  /// The dictionary cases are for a caller that has already told equal values apart: row `i` holds
  /// entry `indexes[i]`. Entries may be unused or equal to one another; only the used ones are
  /// written. The indexes of rows that are not null are checked against `entryCount`.
  public enum Values {
    /// For the kinds `int32` and `date`.
    case int32(UnsafePointer<Int32>)
    /// For the kinds `int64` and `timestampMicrosUTC`.
    case int64(UnsafePointer<Int64>)
    /// For the kind `double`.
    case double(UnsafePointer<Double>)
    /// For the kind `boolean`: one byte a row, zero is false.
    case boolean(UnsafePointer<UInt8>)
    /// For the kind `string`.
    case strings(bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>)
    /// For the kind `string`, of a column without nulls that is not coded: as `strings`, but in
    /// front of each text, and counted in its offsets, stand four bytes with its length, least
    /// significant first. They are pages as they lie, so nothing is copied.
    case prefixedStrings(bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>)
    /// For the kind `string`; `offsets` has `entryCount + 1` elements.
    case dictionary(
      indexes: UnsafePointer<UInt32>, bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>,
      entryCount: Int)
    /// For the kinds `int32` and `date`.
    case int32Dictionary(
      indexes: UnsafePointer<UInt32>, entries: UnsafePointer<Int32>, entryCount: Int)
    /// For the kinds `int64` and `timestampMicrosUTC`.
    case int64Dictionary(
      indexes: UnsafePointer<UInt32>, entries: UnsafePointer<Int64>, entryCount: Int)
    /// For the kind `double`.
    case doubleDictionary(
      indexes: UnsafePointer<UInt32>, entries: UnsafePointer<Double>, entryCount: Int)
  }

  public var values: Values
  /// One byte a row, zero for null; not looked at when `nullCount` is 0.
  public var validity: UnsafePointer<UInt8>?
  /// How many rows are null; checked against `validity`.
  public var nullCount: Int

  public init(values: Values, validity: UnsafePointer<UInt8>? = nil, nullCount: Int = 0) {
    self.values = values
    self.validity = validity
    self.nullCount = nullCount
  }
}
