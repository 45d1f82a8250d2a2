/// One member of a line's own object: where its name and value stand, counted from the line's
/// first byte, and what the value is.
struct Member {
  enum Kind: UInt8 {
    case string
    case number
    case `true`
    case `false`
    case null
    case container
  }

  /// At the opening quote of the name.
  var nameStart: UInt32 = 0
  /// After the closing quote of the name.
  var nameEnd: UInt32 = 0
  /// At the first byte of the value, its opening quote if it is a string.
  var valueStart: UInt32 = 0
  /// After the last byte of the value.
  var valueEnd: UInt32 = 0
  /// The index of the contract's field, or -1.
  var field: Int32 = -1
  var kind: Kind = .null
  var isNameEscaped = false
  var isValueEscaped = false
  /// Whether its value broke its field's type or rule; set when the row is made.
  var isRescued = false
  /// What a number is, read with its text.
  var number = DecimalText()
}
