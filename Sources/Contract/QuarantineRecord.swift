/// One quarantined line, read back from its record: what redrive judges again.
public struct QuarantineRecord: Sendable, Equatable {
  /// The reason of the verdict that was recorded.
  public let reason: QuarantineReason
  /// The raw object's key in the lake.
  public let sourceObject: String
  /// The line's number in the object, from 1.
  public let line: Int64
  /// Where the line begins in the object's text, in bytes.
  public let byteOffset: Int64
  /// The line's size without its line end, in bytes.
  public let byteLength: Int64
  /// The line's bytes; of a line that is too long only the first.
  public let raw: [UInt8]

  /// Whether `raw` is the whole line. If not, its object has the rest.
  public var isComplete: Bool { Int64(raw.count) == byteLength }

  /// Reads a record: one line of a quarantine file, with or without its line feed.
  ///
  /// Members it does not know are left aside. Throws `malformed_quarantine_record`.
  public init(parsing record: some Collection<UInt8>) throws(ContractError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: record)
    } catch {
      throw Self.malformed("it \(error.problem) (column \(error.column))")
    }
    guard case .object(let members) = value else { throw Self.malformed("it is no object") }
    func member(_ name: String) -> JSONValue? { members.first { $0.name == name }?.value }
    func text(_ name: String) throws(ContractError) -> String {
      guard case .string(let text) = member(name) else {
        throw Self.malformed("its \"\(name)\" is no string")
      }
      return text
    }
    func number(_ name: String, from least: Int64) throws(ContractError) -> Int64 {
      guard case .number(let text) = member(name), let number = Int64(text), number >= least
      else {
        throw Self.malformed("its \"\(name)\" is no whole number from \(least)")
      }
      return number
    }

    guard let reason = QuarantineReason(rawValue: try text("reason")) else {
      throw Self.malformed("its \"reason\" is none that this program knows")
    }
    self.reason = reason
    sourceObject = try text("source_object")
    line = try number("line", from: 1)
    byteOffset = try number("byte_offset", from: 0)
    byteLength = try number("byte_length", from: 0)
    switch (member("raw"), member("raw_base64")) {
    case (.string(let text), nil): raw = Array(text.utf8)
    case (nil, .string(let text)):
      guard let bytes = Base64.decode(text) else {
        throw Self.malformed("its \"raw_base64\" is not Base64")
      }
      raw = bytes
    default:
      throw Self.malformed("it has not exactly one of \"raw\" and \"raw_base64\" as a string")
    }
    guard Int64(raw.count) <= byteLength else {
      throw Self.malformed("it has more bytes than its \"byte_length\" says")
    }
  }

  private static func malformed(_ problem: String) -> ContractError {
    ContractError(
      .malformedQuarantineRecord,
      "This is no quarantine record: \(problem); the file was changed or cut, restore it or "
        + "rebuild the lake from raw.")
  }
}
