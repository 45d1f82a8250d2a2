/// Turns an event's clean line into the line of a fault.
///
/// Every way of spoiling keeps the promise of its ``FaultKind``: the contract gives the line exactly
/// that verdict and reason. Where a fault has several ways, each is equally likely.
struct LineSpoiler: Sendable {
  /// The line as it stands; after ``spoil(_:as:with:using:)`` the faulty one, without its LF.
  var draft = DraftLine()
  /// The optional field that bronze does not get from the line, be it broken or missing.
  private(set) var lostField: DraftLine.Field?

  /// Writes the event's line and spoils it.
  ///
  /// - Returns: the name of the member that must be found in `_rescued_data`, when there is one.
  mutating func spoil(
    _ event: PurchaseEvent, as kind: FaultKind, with writer: inout EventWriter,
    using random: inout SeededRandom
  ) -> String? {
    draft.load(event, with: &writer)
    lostField = nil
    switch kind {
    case .late, .duplicate, .conflict, .blank, .offline, .disorder, .clockSkew: break
    case .missingField: loseField(using: &random)
    case .drift: return addDriftedField(using: &random)
    case .truncated: draft.truncate(to: 1 + Int(random.below(UInt64(draft.bytes.count - 1))))
    case .messy: makeMessy(using: &random)
    case .unknownField: return addUnknownField(using: &random)
    case .badType: return breakType(using: &random)
    case .malformedJSON: breakSyntax(using: &random)
    case .invalidUnicode: breakUnicode(using: &random)
    case .tooDeep: nestTooDeep(using: &random)
    case .notAnObject: dropObject(using: &random)
    case .duplicateKey: repeatMember(using: &random)
    case .missingEventID: loseMember(.eventID, using: &random)
    case .invalidEventID: draft.replaceValue(of: .eventID, with: random.pick(Self.invalidIDs).utf8)
    case .missingTimestamp: loseMember(.timestamp, using: &random)
    case .invalidTimestamp: breakTimestamp(of: event, using: &random)
    case .timestampOutOfRange:
      draft.replaceValue(of: .timestamp, with: random.pick(Self.timesOutOfRange).utf8)
    case .lineTooLong: makeTooLong(using: &random)
    }
    return nil
  }

  /// The text of a blank line, without its LF.
  static func blankLine(using random: inout SeededRandom) -> String {
    random.pick(blankLines)
  }

  private static let blankLines = ["", " ", "   \t ", "\r"]

  /// The most bytes a line may have.
  static let maximumLineBytes = 1 << 20

  private static let invalidIDs = [
    #""""#, "12345", "true", "[]", #"{"id": 1}"#, "\"\(String(repeating: "x", count: 257))\"",
    "\"\(String(repeating: "\\u00e9", count: 129))\"",
  ]

  private static let timesOutOfRange = [
    #""1970-01-01T00:00:00+00:00""#, #""1999-12-31T23:59:59.999999+00:00""#,
    #""2000-01-01T00:30:00+01:00""#, #""2100-01-01T00:00:00+00:00""#,
    #""0001-01-01T00:00:00+00:00""#, #""9999-12-31T23:59:59.999999+00:00""#,
  ]
}

// MARK: - Accepted lines

extension LineSpoiler {
  private mutating func makeMessy(using random: inout SeededRandom) {
    let what = random.below(3)
    if what != 1 { makeCategoryMessy(using: &random) }
    if what != 0 { makeCustomerMessy(using: &random) }
  }

  private mutating func makeCategoryMessy(using random: inout SeededRandom) {
    var text = Array(draft.value(of: .category).dropFirst().dropLast())
    // The letters of an escape such as \u00e9 must stay as they are.
    let way = text.contains(UInt8(ascii: "\\")) ? 3 : random.below(4)
    switch way {
    case 0: Self.upperCase(&text, in: text.indices)
    case 1: Self.upperCase(&text, in: 0..<1)
    case 2:
      Self.upperCase(&text, in: 0..<1)
      text = Array(" ".utf8) + text + Array(" ".utf8)
    default: text += Array("  ".utf8)
    }
    draft.replaceValue(of: .category, with: Self.quoted(text))
  }

  private mutating func makeCustomerMessy(using random: inout SeededRandom) {
    var text = Array(draft.value(of: .customerID).dropFirst().dropLast())
    let way = random.below(3)
    if way != 0 { text[0] |= 0x20 }
    if way != 1 { text = Array(" ".utf8) + text + Array(" ".utf8) }
    draft.replaceValue(of: .customerID, with: Self.quoted(text))
  }

  private mutating func addUnknownField(using random: inout SeededRandom) -> String {
    let field = random.pick(Self.unknownFields)
    draft.appendMember("\"\(field.name)\": \(field.value)".utf8)
    return field.name
  }

  private static let unknownFields: [(name: String, value: String)] = [
    ("payment_method", #""card""#), ("coupon", "null"), ("discount", "0.10"),
    ("loyalty", #"{"tier": "gold", "points": 120}"#), ("channels", #"["web", "app"]"#),
  ]

  private mutating func addDriftedField(using random: inout SeededRandom) -> String {
    let name = "sales_channel"
    draft.appendMember("\"\(name)\": \"\(random.pick(["store", "web", "app"]))\"".utf8)
    return name
  }

  private mutating func loseField(using random: inout SeededRandom) {
    let field = random.pick(Self.optionalFields)
    lostField = field
    loseMember(field, using: &random)
  }

  private static let optionalFields: [DraftLine.Field] = [
    .storeID, .customerID, .productID, .category, .price, .quantity, .totalAmount,
  ]

  private mutating func breakType(using random: inout SeededRandom) -> String {
    let (field, text) = random.pick(Self.badValues)
    draft.replaceValue(of: field, with: text.utf8)
    lostField = field
    return field.name
  }

  private static let badValues: [(DraftLine.Field, String)] = [
    (.price, #""N/A""#), (.price, "-1.0"), (.price, #""$49.99""#), (.price, "1e400"),
    (.quantity, "-3"), (.quantity, "0"), (.quantity, "2.5"), (.quantity, #""three""#),
    (.totalAmount, #""149,97""#), (.totalAmount, "true"), (.totalAmount, "-0.01"),
    (.storeID, "4"),
  ]

  private static func quoted(_ text: [UInt8]) -> [UInt8] {
    [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
  }

  private static func upperCase(_ text: inout [UInt8], in range: Range<Int>) {
    for index in range where (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(text[index]) {
      text[index] &= ~0x20
    }
  }
}
