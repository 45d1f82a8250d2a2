/// An event's line that is being spoilt: its bytes, and where each member stands in them.
///
/// Only faulty events pass through a draft. It keeps its memory from one to the next.
struct DraftLine: Sendable {
  /// The nine members, in the order of the line.
  enum Field: Int, CaseIterable {
    case eventID, timestamp, storeID, customerID, productID, category, price, quantity, totalAmount

    /// The member's name in the line.
    var name: String {
      switch self {
      case .eventID: "event_id"
      case .timestamp: "ts"
      case .storeID: "store_id"
      case .customerID: "customer_id"
      case .productID: "product_id"
      case .category: "category"
      case .price: "price"
      case .quantity: "quantity"
      case .totalAmount: "total_amount"
      }
    }
  }

  /// The line without its LF.
  private(set) var bytes: [UInt8] = []

  /// Where each member's value stands; its name stands right before it.
  private var values: [Range<Int>] = Array(repeating: 0..<0, count: Field.allCases.count)

  /// Writes an event's clean line and finds its members.
  mutating func load(_ event: PurchaseEvent, with writer: inout EventWriter) {
    bytes.removeAll(keepingCapacity: true)
    writer.append(event, to: &bytes)
    bytes.removeLast()
    var position = 1
    for field in Field.allCases {
      let start = position + field.name.utf8.count + 4
      let end = endOfValue(from: start)
      values[field.rawValue] = start..<end
      position = end + 2
    }
  }

  /// The bytes of a member's value, the quotes of a string included.
  func value(of field: Field) -> ArraySlice<UInt8> {
    bytes[values[field.rawValue]]
  }

  /// How many bytes the line has up to and with a member's value.
  func end(of field: Field) -> Int {
    values[field.rawValue].upperBound
  }

  /// Puts other text in place of a member's value.
  mutating func replaceValue(of field: Field, with text: some Collection<UInt8>) {
    replace(values[field.rawValue], with: text)
  }

  /// Puts text before the closing quote of a member's string.
  mutating func appendInside(_ field: Field, _ text: some Collection<UInt8>) {
    let end = values[field.rawValue].upperBound - 1
    replace(end..<end, with: text)
  }

  /// Takes a member out, with the comma and blank that part it from its neighbour.
  mutating func removeMember(_ field: Field) {
    let value = values[field.rawValue]
    let start = value.lowerBound - field.name.utf8.count - 4
    if field == .totalAmount {
      replace(start - 2..<value.upperBound, with: [])
    } else {
      replace(start..<value.upperBound + 2, with: [])
    }
  }

  /// Adds a member at the end: text such as `"coupon": null`.
  mutating func appendMember(_ text: some Collection<UInt8>) {
    insert(", ".utf8, at: bytes.count - 1)
    insert(text, at: bytes.count - 1)
  }

  /// Takes out the comma after a member's value.
  mutating func removeComma(after field: Field) {
    let end = values[field.rawValue].upperBound
    replace(end..<end + 1, with: [])
  }

  /// Takes out the colon between a member's name and its value.
  mutating func removeColon(before field: Field) {
    let start = values[field.rawValue].lowerBound
    replace(start - 2..<start - 1, with: [])
  }

  /// Puts text at a place in the line.
  mutating func insert(_ text: some Collection<UInt8>, at index: Int) {
    replace(index..<index, with: text)
  }

  /// Puts text after the line's last byte.
  mutating func append(_ text: some Collection<UInt8>) {
    bytes.append(contentsOf: text)
  }

  /// Cuts the line off after `count` bytes.
  mutating func truncate(to count: Int) {
    bytes.removeLast(bytes.count - count)
  }

  /// Puts one byte in place of every byte of another kind.
  mutating func substitute(_ old: UInt8, with new: UInt8) {
    for index in bytes.indices where bytes[index] == old { bytes[index] = new }
  }

  /// Puts other text in place of the whole line.
  mutating func replaceAll(with text: some Collection<UInt8>) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: text)
  }

  /// Whether a text stands in the line.
  func contains(_ text: [UInt8]) -> Bool {
    guard let first = text.first, bytes.count >= text.count else { return false }
    return (0...bytes.count - text.count).contains { index in
      bytes[index] == first && bytes[index..<index + text.count].elementsEqual(text)
    }
  }

  private mutating func replace(_ range: Range<Int>, with text: some Collection<UInt8>) {
    bytes.replaceSubrange(range, with: text)
    let growth = text.count - range.count
    for (index, value) in values.enumerated() {
      if value.lowerBound >= range.upperBound {
        values[index] = value.lowerBound + growth..<value.upperBound + growth
      } else if value.upperBound > range.lowerBound {
        // A value that goes with its member is left empty.
        values[index] = value.lowerBound..<max(value.lowerBound, value.upperBound + growth)
      }
    }
  }

  private func endOfValue(from start: Int) -> Int {
    var index = start
    guard bytes[start] == UInt8(ascii: "\"") else {
      while bytes[index] != UInt8(ascii: ","), bytes[index] != UInt8(ascii: "}") { index += 1 }
      return index
    }
    index += 1
    while bytes[index] != UInt8(ascii: "\"") {
      index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return index + 1
  }
}
