import Foundation

/// The contract's verdict on one line, worked out apart from the decoder that the pipeline uses.
///
/// Slow, strict, and for whole lines only: section "A line's verdict" of the contract, read from the
/// top. It is what the simulator's promises are held against.
struct LineJudge {
  enum Verdict: Equatable {
    case blank
    case quarantined(String)
    case accepted(Row)
  }

  struct Row: Equatable {
    var texts: [String: String] = [:]
    var numbers: [String: Double] = [:]
    var timestampMicros: Int64 = 0
    var rescued: [String] = []
  }

  static func judge(_ line: some Collection<UInt8>) -> Verdict {
    var bytes = Array(line)
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return .blank }
    guard bytes.count <= 1_048_576 else { return .quarantined("line_too_long") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return .quarantined("invalid_unicode")
    }
    do {
      var reader = StrictJSON(text)
      return try row(of: reader.document())
    } catch {
      return .quarantined(error.reason)
    }
  }

  struct Fault: Error {
    var reason: String
  }

  private static let textFields: Set = ["store_id", "customer_id", "product_id", "category"]
  private static let amountFields: Set = ["price", "total_amount"]

  private static func row(of value: StrictJSON.Value) throws(Fault) -> Verdict {
    guard case .object(let members) = value else { throw Fault(reason: "not_an_object") }
    guard Set(members.map(\.name)).count == members.count else {
      throw Fault(reason: "duplicate_key")
    }
    let named = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
    var row = Row()
    switch named["event_id"] ?? .null {
    case .null: throw Fault(reason: "missing_event_id")
    case .string(let id) where (1...256).contains(id.utf8.count): row.texts["event_id"] = id
    default: throw Fault(reason: "invalid_event_id")
    }
    switch named["ts"] ?? .null {
    case .null: throw Fault(reason: "missing_ts")
    case .string(let text): row.timestampMicros = try micros(text)
    default: throw Fault(reason: "invalid_ts")
    }
    for member in members where member.name != "event_id" && member.name != "ts" {
      switch member.value {
      case .null where isKnown(member.name): break
      case .string(let text) where textFields.contains(member.name):
        row.texts[member.name] = text
      case .number(let text), .string(let text):
        if isKnown(member.name), !textFields.contains(member.name),
          let number = number(text, of: member.name)
        {
          row.numbers[member.name] = number
        } else {
          row.rescued.append(member.name)
        }
      default: row.rescued.append(member.name)
      }
    }
    return .accepted(row)
  }

  private static func isKnown(_ name: String) -> Bool {
    textFields.contains(name) || amountFields.contains(name) || name == "quantity"
  }

  private static func number(_ text: String, of name: String) -> Double? {
    guard StrictJSON.isNumber(text), let number = Double(text), number.isFinite, number >= 0 else {
      return nil
    }
    if name == "quantity" {
      guard number == number.rounded(), (1...2_147_483_647).contains(number) else { return nil }
    }
    return number
  }

  private static func micros(_ text: String) throws(Fault) -> Int64 {
    var rest = Substring(text)
    func digits(_ count: Int) throws(Fault) -> Int {
      let head = rest.prefix(count)
      guard head.utf8.count == count, head.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw Fault(reason: "invalid_ts")
      }
      rest = rest.dropFirst(count)
      return Int(head)!
    }
    func one(of characters: String) throws(Fault) -> Character {
      guard let next = rest.popFirst(), characters.contains(next) else {
        throw Fault(reason: "invalid_ts")
      }
      return next
    }
    let year = try digits(4)
    _ = try one(of: "-")
    let month = try digits(2)
    _ = try one(of: "-")
    let day = try digits(2)
    _ = try one(of: "Tt ")
    let hour = try digits(2)
    _ = try one(of: ":")
    let minute = try digits(2)
    _ = try one(of: ":")
    let second = try digits(2)
    var fraction = ""
    if rest.first == "." {
      rest = rest.dropFirst()
      repeat { fraction += String(try digits(1)) } while rest.first?.isNumber == true
    }
    var offset = (hour: 0, minute: 0)
    let zone = try one(of: "Zz+-")
    if zone == "+" || zone == "-" {
      offset.hour = try digits(2)
      _ = try one(of: ":")
      offset.minute = try digits(2)
    }
    let limits = [hour < 24, minute < 60, second < 60, offset.hour < 24, offset.minute < 60]
    guard rest.isEmpty, limits.allSatisfy({ $0 }),
      let midnight = midnight(year: year, month: month, day: day)
    else { throw Fault(reason: "invalid_ts") }
    let east = (zone == "-" ? -1 : 1) * (offset.hour * 3_600 + offset.minute * 60)
    let seconds = midnight + hour * 3_600 + minute * 60 + second - east
    guard (946_684_800..<4_102_444_800).contains(seconds) else {
      throw Fault(reason: "ts_out_of_range")
    }
    let micros = fraction.padding(toLength: 6, withPad: "0", startingAt: 0)
    return Int64(seconds) * 1_000_000 + Int64(micros)!
  }

  /// Asks the C library, which moves a date that does not exist to one that does.
  private static func midnight(year: Int, month: Int, day: Int) -> Int? {
    var date = tm()
    (date.tm_year, date.tm_mon, date.tm_mday) = (Int32(year - 1_900), Int32(month - 1), Int32(day))
    let seconds = timegm(&date)
    let same =
      date.tm_year == year - 1_900 && date.tm_mon == month - 1 && date.tm_mday == day
    return same ? seconds : nil
  }
}

/// JSON as RFC 8259 has it and nothing beyond, at most 64 containers deep.
struct StrictJSON {
  indirect enum Value {
    case null
    case literal
    case number(String)
    case string(String)
    case array
    case object([(name: String, value: Value)])

    var isNull: Bool { if case .null = self { true } else { false } }
  }

  private let scalars: [Unicode.Scalar]
  private var position = 0

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
  }

  static func isNumber(_ text: String) -> Bool {
    var rest = Substring(text)
    func digits() -> Int {
      let count = rest.prefix { $0.isASCII && $0.isNumber }.count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == "-" { rest = rest.dropFirst() }
    let leadsWithZero = rest.first == "0"
    let whole = digits()
    guard whole > 0, whole == 1 || !leadsWithZero else { return false }
    if rest.first == "." {
      rest = rest.dropFirst()
      guard digits() > 0 else { return false }
    }
    if rest.first == "e" || rest.first == "E" {
      rest = rest.dropFirst()
      if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
      guard digits() > 0 else { return false }
    }
    return rest.isEmpty
  }

  mutating func document() throws(LineJudge.Fault) -> Value {
    let value = try value(level: 1)
    skipBlanks()
    guard position == scalars.count else { throw malformed }
    return value
  }

  private let malformed = LineJudge.Fault(reason: "malformed_json")

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func skipBlanks() {
    while let scalar = next, " \t\r\n".unicodeScalars.contains(scalar) { position += 1 }
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }

  private mutating func value(level: Int) throws(LineJudge.Fault) -> Value {
    skipBlanks()
    switch next {
    case "\"": return .string(try string())
    case "[", "{":
      guard level <= 64 else { throw LineJudge.Fault(reason: "too_deep") }
      return take("[") ? try array(level: level) : try object(level: level)
    default: return try word()
    }
  }

  private mutating func array(level: Int) throws(LineJudge.Fault) -> Value {
    skipBlanks()
    if take("]") { return .array }
    while true {
      _ = try value(level: level + 1)
      skipBlanks()
      if take("]") { return .array }
      guard take(",") else { throw malformed }
    }
  }

  private mutating func object(level: Int) throws(LineJudge.Fault) -> Value {
    position += 1
    skipBlanks()
    if take("}") { return .object([]) }
    var members: [(name: String, value: Value)] = []
    while true {
      skipBlanks()
      guard next == "\"" else { throw malformed }
      let name = try string()
      skipBlanks()
      guard take(":") else { throw malformed }
      members.append((name, try value(level: level + 1)))
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else { throw malformed }
    }
  }

  private mutating func word() throws(LineJudge.Fault) -> Value {
    let start = position
    while let scalar = next, scalar.isASCII, scalar.properties.isAlphabetic || isNumeric(scalar) {
      position += 1
    }
    let text = String(String.UnicodeScalarView(scalars[start..<position]))
    switch text {
    case "null": return .null
    case "true", "false": return .literal
    default:
      guard Self.isNumber(text) else { throw malformed }
      return .number(text)
    }
  }

  private func isNumeric(_ scalar: Unicode.Scalar) -> Bool {
    "0123456789+-.".unicodeScalars.contains(scalar)
  }

  private mutating func string() throws(LineJudge.Fault) -> String {
    position += 1
    var units: [UInt16] = []
    while let scalar = next {
      position += 1
      switch scalar {
      case "\"":
        let text = String(decoding: units, as: UTF16.self)
        // Decoding puts U+FFFD in place of half a pair, so the units do not come back.
        guard Array(text.utf16) == units else { throw LineJudge.Fault(reason: "invalid_unicode") }
        return text
      case "\\": units.append(try escape())
      default:
        guard scalar.value >= 0x20 else { throw malformed }
        units.append(contentsOf: UTF16.encode(scalar)!)
      }
    }
    throw malformed
  }

  private mutating func escape() throws(LineJudge.Fault) -> UInt16 {
    guard let kind = next else { throw malformed }
    position += 1
    switch kind {
    case "\"", "\\", "/": return UInt16(kind.value)
    case "b": return 0x08
    case "f": return 0x0c
    case "n": return 0x0a
    case "r": return 0x0d
    case "t": return 0x09
    case "u":
      let digits = scalars[position..<min(position + 4, scalars.count)]
      guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
        throw malformed
      }
      position += 4
      return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)!
    default: throw malformed
    }
  }
}
