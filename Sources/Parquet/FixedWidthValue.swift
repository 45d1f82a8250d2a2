/// A number of Parquet's fixed-width physical types.
///
/// Values are stored as they lie in memory: the format and every platform of Swift are
/// little-endian.
package protocol FixedWidthValue: BitwiseCopyable, Comparable {
  /// The bits that tell values apart: doubles that are equal may differ (`0.0` and `-0.0`).
  var dictionaryBits: UInt64 { get }
  /// True for what has no place in an order.
  var isUnordered: Bool { get }
  /// The value as a lower and as an upper bound.
  var asBounds: (lower: Self, upper: Self) { get }
}

extension Int32: FixedWidthValue {
  package var dictionaryBits: UInt64 { UInt64(UInt32(bitPattern: self)) }
  package var isUnordered: Bool { false }
  package var asBounds: (lower: Int32, upper: Int32) { (self, self) }
}

extension Int64: FixedWidthValue {
  package var dictionaryBits: UInt64 { UInt64(bitPattern: self) }
  package var isUnordered: Bool { false }
  package var asBounds: (lower: Int64, upper: Int64) { (self, self) }
}

extension Double: FixedWidthValue {
  package var dictionaryBits: UInt64 { bitPattern }
  package var isUnordered: Bool { self != self }
  /// Zero of either sign bounds zeros of both.
  package var asBounds: (lower: Double, upper: Double) { self == 0 ? (-0.0, 0.0) : (self, self) }
}
