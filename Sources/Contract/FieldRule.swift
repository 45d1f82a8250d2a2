/// A field's type and rule as plain numbers, for the loop over a row's fields.
struct FieldRule {
  let kind: ColumnBuffer.Kind
  /// Whether rows keep a code of the field's value table.
  var isCoded: Bool
  var minBytes = 0
  var maxBytes = Int.max
  /// Timestamps (the end is outside), int32 and int64.
  var minInteger = Int64.min
  var maxInteger = Int64.max
  var minDouble = -Double.greatestFiniteMagnitude
  var maxDouble = Double.greatestFiniteMagnitude

  init(_ type: EventContract.FieldType, isCoded: Bool) {
    kind = type.kind
    self.isCoded = isCoded
    switch type {
    case .string(let least, let most):
      minBytes = least
      maxBytes = most
    case .timestamp(let first, let end):
      minInteger = first
      maxInteger = end - 1
    case .double(let least, let most):
      minDouble = least
      maxDouble = most
    case .int32(let least, let most):
      minInteger = Int64(least)
      maxInteger = Int64(most)
    case .int64(let least, let most):
      minInteger = least
      maxInteger = most
    case .boolean: break
    }
  }
}
