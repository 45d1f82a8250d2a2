/// The least and greatest of a column chunk's numbers, for its statistics.
///
/// Source: `Statistics` and `ColumnOrder` in `parquet.thrift`: signed order for integers; for
/// doubles no NaN in a bound, and a zero bound is `-0.0` below and `+0.0` above. A chunk that holds
/// a NaN gets no bounds at all, since engines that sort NaN above every number would skip it.
struct NumberBounds<T: FixedWidthValue> {
  private var least: T?
  private var greatest: T?
  private var hasUnordered = false

  /// Takes PLAIN values into account.
  mutating func add(plain values: UnsafeRawPointer, count: Int) {
    guard count > 0, !hasUnordered else { return }
    var low = least ?? values.loadUnaligned(as: T.self)
    var high = greatest ?? low
    var unordered = false
    for i in 0..<count {
      let value = values.loadUnaligned(fromByteOffset: i &* MemoryLayout<T>.size, as: T.self)
      if value < low { low = value }
      if value > high { high = value }
      if value.isUnordered { unordered = true }
    }
    least = low
    greatest = high
    hasUnordered = unordered
  }

  /// The bounds as PLAIN values, or nil if there are none.
  var bounds: ColumnBounds? {
    guard let least, let greatest, !hasUnordered else { return nil }
    return ColumnBounds(
      lower: withUnsafeBytes(of: least.asBounds.lower, Array.init),
      upper: withUnsafeBytes(of: greatest.asBounds.upper, Array.init))
  }
}
