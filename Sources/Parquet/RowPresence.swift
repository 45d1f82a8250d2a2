/// Which rows of a column hold a value.
struct RowPresence {
  let count: Int
  let nullCount: Int
  /// One byte a row, zero for null; nil if there are no nulls.
  let validity: UnsafePointer<UInt8>?

  var valueCount: Int { count - nullCount }

  /// Throws `unexpectedNulls` or `wrongNullCount` where the view contradicts the schema or itself.
  init(_ view: ColumnView, rowCount: Int, column: ParquetSchema.Column) throws(ParquetError) {
    count = rowCount
    nullCount = view.nullCount
    validity = view.nullCount == 0 ? nil : view.validity
    guard nullCount != 0 else { return }
    guard column.isNullable else {
      throw ParquetError(
        .unexpectedNulls, "\(nullCount) nulls in a REQUIRED column", column: column.name)
    }
    guard let validity else {
      throw ParquetError(
        .wrongNullCount, "\(nullCount) nulls are announced, but no validity is given",
        column: column.name)
    }
    let present = BitPacking.countSet(validity, count: rowCount)
    guard present == rowCount - nullCount else {
      throw ParquetError(
        .wrongNullCount, "\(nullCount) nulls are announced, but \(rowCount - present) are marked",
        column: column.name)
    }
  }
}
