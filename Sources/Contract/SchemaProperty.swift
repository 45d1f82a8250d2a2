/// One property of the schema: its keywords, and the column type they make.
struct SchemaProperty {
  private static let longestName = 128
  private static let mostFields = 256

  private let name: String
  private var type = ""
  private var isNullable = false
  private var keywords: [String: JSONValue] = [:]

  /// Keywords that say nothing about which values are allowed: JSON Schema 2020-12, Validation,
  /// section 9, and `x-` keywords other than bounds.
  static func isAnnotation(_ keyword: String) -> Bool {
    switch keyword {
    case "$schema", "$id", "$comment", "title", "description", "examples", "default", "deprecated",
      "readOnly", "writeOnly":
      true
    default:
      keyword.hasPrefix("x-") && !keyword.hasPrefix("x-min") && !keyword.hasPrefix("x-max")
    }
  }

  /// Checks that a name can be a column's in every engine; `seen` collects them in lower case.
  static func checkName(_ name: String, seen: inout Set<String>) throws(ContractError) {
    let letters = name.utf8
    let isIdentifier =
      letters.first.map { !($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) } ?? false
      && letters.count <= longestName
      && letters.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
    guard isIdentifier else {
      throw ContractError(
        .invalidName,
        "The property \"\(name)\" cannot be a column: rename it with letters, digits and "
          + "underscores, at most \(longestName), the first no digit.")
    }
    let folded = name.lowercased()
    guard !EventContract.reservedNames.contains(folded) else {
      throw ContractError(
        .invalidName,
        "The property \"\(name)\" has the name of a column that bronze or staging adds: rename it.")
    }
    guard seen.insert(folded).inserted else {
      throw ContractError(
        .invalidName,
        "The property \"\(name)\" differs from another one only in case, and SQL does not see "
          + "that: rename one of them.")
    }
    guard seen.count <= mostFields else {
      throw ContractError(
        .invalidName,
        "The schema has more than \(mostFields) properties: leave the others out, they are "
          + "rescued.")
    }
  }

  init(_ property: JSONValue.Member) throws(ContractError) {
    name = property.name
    guard case .object(let members) = property.value else {
      throw ContractError(
        .unsupportedType,
        "The property \"\(name)\" has no type: make it an object with a \"type\".")
    }
    for member in members where !Self.isAnnotation(member.name) {
      if member.name == "type" {
        try readType(member.value)
      } else {
        keywords[member.name] = member.value
      }
    }
    if type.isEmpty { throw typeError("has no \"type\"") }
  }

  private mutating func readType(_ value: JSONValue) throws(ContractError) {
    let names: [JSONValue]
    if case .array(let several) = value { names = several } else { names = [value] }
    for element in names {
      guard case .string(let text) = element else {
        throw typeError("has a \"type\" that is no text")
      }
      if text == "null" {
        isNullable = true
      } else if type.isEmpty {
        type = text
      } else {
        throw typeError("has more than one type")
      }
    }
  }

  private func typeError(_ problem: String) -> ContractError {
    ContractError(
      .unsupportedType,
      "The property \"\(name)\" \(problem), which no column can hold: use one of \"string\", "
        + "\"number\", \"integer\" and \"boolean\", with or without \"null\".")
  }

  /// The column type, once every keyword is taken.
  func fieldType(isRequired: Bool) throws(ContractError) -> EventContract.FieldType {
    guard !(isRequired && isNullable) else {
      throw ContractError(
        .requiredFields,
        "The property \"\(name)\" is required and may not be null: remove \"null\" from its "
          + "\"type\".")
    }
    var taken = self
    let result: EventContract.FieldType
    switch type {
    case "string":
      if let format = taken.keywords.removeValue(forKey: "format") {
        guard format == .string("date-time") else {
          throw unsupported("format", "only \"date-time\" is a type of its own")
        }
        result = try taken.timestamp()
      } else {
        result = try taken.string()
      }
    case "number": result = try taken.double()
    case "integer": result = try taken.integer()
    case "boolean": result = .boolean
    default: throw typeError("has the type \"\(type)\"")
    }
    if let keyword = taken.keywords.keys.min() {
      throw unsupported(keyword, "the decoder does not keep it for a \(type)")
    }
    return result
  }

  private func unsupported(_ keyword: String, _ reason: String) -> ContractError {
    ContractError(
      .unsupportedKeyword,
      "The property \"\(name)\" has a \"\(keyword)\" and \(reason): remove it, or check it in dbt.")
  }

  private func badBound(_ keyword: String, _ need: String) -> ContractError {
    ContractError(
      .invalidBound, "The \"\(keyword)\" of the property \"\(name)\" must be \(need): mend it.")
  }

  private func noValue() -> ContractError {
    ContractError(
      .invalidBound, "The bounds of the property \"\(name)\" allow no value at all: mend them.")
  }

  // MARK: Strings

  private mutating func string() throws(ContractError) -> EventContract.FieldType {
    var least = try size("x-min-bytes") ?? 0
    let most = try size("x-max-bytes")
    if let characters = try size("minLength") {
      // One character is at least one byte; beyond that the two counts part.
      guard characters <= 1 || least >= characters * 4 else {
        throw badBound(
          "minLength", "0 or 1, since the decoder counts bytes (\"x-min-bytes\" sets those)")
      }
      least = max(least, characters)
    }
    if let characters = try size("maxLength") {
      guard let most, most <= characters else {
        throw badBound(
          "maxLength",
          "no less than an \"x-max-bytes\" beside it, which the decoder keeps in its place")
      }
    }
    guard least <= most ?? .max else { throw noValue() }
    return .string(minBytes: least, maxBytes: most ?? .max)
  }

  private mutating func size(_ keyword: String) throws(ContractError) -> Int? {
    guard let value = keywords.removeValue(forKey: keyword) else { return nil }
    guard case .number(let text) = value, let size = Int(text), size >= 0, size <= 1 << 40 else {
      throw badBound(keyword, "a whole number from 0")
    }
    return size
  }

  // MARK: Timestamps

  private mutating func timestamp() throws(ContractError) -> EventContract.FieldType {
    let first = try instant("formatMinimum") ?? Timestamp.firstMicros
    let end = try instant("formatExclusiveMaximum") ?? Timestamp.endMicros
    guard first < end else { throw noValue() }
    return .timestamp(
      minMicros: max(first, Timestamp.firstMicros), endMicros: min(end, Timestamp.endMicros))
  }

  private mutating func instant(_ keyword: String) throws(ContractError) -> Int64? {
    guard let value = keywords.removeValue(forKey: keyword) else { return nil }
    guard case .string(let text) = value else {
      throw badBound(keyword, "a date-time such as \"2000-01-01T00:00:00Z\"")
    }
    var buffer = ByteBuffer(capacity: text.utf8.count)
    defer { extendLifetime(buffer) }
    for byte in text.utf8 { buffer.append(byte) }
    let micros = Timestamp.parse(buffer.start, count: buffer.count)
    guard micros != Timestamp.invalid else {
      throw badBound(keyword, "a date-time such as \"2000-01-01T00:00:00Z\"")
    }
    return micros
  }

  // MARK: Numbers

  private mutating func double() throws(ContractError) -> EventContract.FieldType {
    var least = -Double.greatestFiniteMagnitude
    var most = Double.greatestFiniteMagnitude
    if let bound = try bound("minimum") { least = max(least, bound) }
    if let bound = try bound("exclusiveMinimum") { least = max(least, bound.nextUp) }
    if let bound = try bound("maximum") { most = min(most, bound) }
    if let bound = try bound("exclusiveMaximum") { most = min(most, bound.nextDown) }
    guard least <= most else { throw noValue() }
    return .double(minimum: least, maximum: most)
  }

  private mutating func integer() throws(ContractError) -> EventContract.FieldType {
    var least = Int64.min
    var most = Int64.max
    var hasLeast = false
    var hasMost = false
    if let bound = try wholeBound("minimum") {
      least = bound
      hasLeast = true
    }
    if let bound = try wholeBound("exclusiveMinimum") {
      guard bound < .max else { throw noValue() }
      least = max(least, bound + 1)
      hasLeast = true
    }
    if let bound = try wholeBound("maximum") {
      most = bound
      hasMost = true
    }
    if let bound = try wholeBound("exclusiveMaximum") {
      guard bound > .min else { throw noValue() }
      most = min(most, bound - 1)
      hasMost = true
    }
    guard least <= most else { throw noValue() }
    if hasLeast, hasMost, let narrowLeast = Int32(exactly: least),
      let narrowMost = Int32(exactly: most)
    {
      return .int32(minimum: narrowLeast, maximum: narrowMost)
    }
    return .int64(minimum: least, maximum: most)
  }

  private mutating func bound(_ keyword: String) throws(ContractError) -> Double? {
    guard let value = keywords.removeValue(forKey: keyword) else { return nil }
    guard case .number(let text) = value, let bound = Double(text), bound.isFinite else {
      throw badBound(keyword, "a number that a double can hold")
    }
    return bound
  }

  private mutating func wholeBound(_ keyword: String) throws(ContractError) -> Int64? {
    guard let value = keywords.removeValue(forKey: keyword) else { return nil }
    guard case .number(let text) = value,
      let bound = Int64(text) ?? Double(text).flatMap({ Int64(exactly: $0) })
    else {
      throw badBound(keyword, "a whole number of at most 64 bits")
    }
    return bound
  }
}
