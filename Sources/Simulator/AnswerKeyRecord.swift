/// One fault that the simulator injected: where it is, and what must become of its line.
///
/// A line without a record is a clean event: it must be accepted, and nothing of it rescued.
public struct AnswerKeyRecord: Codable, Hashable, Sendable {
  /// The raw object's key.
  public var sourceObject: String
  /// The line in the object, from 1.
  public var line: Int
  /// What was done to the line.
  public var fault: FaultKind
  /// What the contract makes of the line.
  public var verdict: ExpectedVerdict
  /// Why it is quarantined; nil unless it is.
  public var reason: String?
  /// The id of the line's event; nil when it does not stand whole in the line.
  public var eventID: String?
  /// The member that must be found in `_rescued_data`; nil when nothing is rescued.
  public var rescuedField: String?
  /// Of a duplicate or conflict, the object of the event that it repeats, which wins.
  public var originalObject: String?
  /// Of a duplicate or conflict, the line of the event that it repeats.
  public var originalLine: Int?

  /// A record of a fault at a place, with the verdict and reason that its kind has.
  public init(
    sourceObject: String, line: Int, fault: FaultKind, eventID: String? = nil,
    rescuedField: String? = nil, originalObject: String? = nil, originalLine: Int? = nil
  ) {
    self.sourceObject = sourceObject
    self.line = line
    self.fault = fault
    self.verdict = fault.expectedVerdict
    self.reason = fault.expectedReason
    self.eventID = eventID
    self.rescuedField = rescuedField
    self.originalObject = originalObject
    self.originalLine = originalLine
  }

  /// The names of the members in the answer key's NDJSON.
  public enum CodingKeys: String, CodingKey {
    case sourceObject = "source_object"
    case line
    case fault
    case verdict
    case reason
    case eventID = "event_id"
    case rescuedField = "rescued_field"
    case originalObject = "original_object"
    case originalLine = "original_line"
  }
}

extension AnswerKeyRecord {
  /// Appends the record as one line of NDJSON: all nine members, in the order of ``CodingKeys``,
  /// null where there is nothing, and an LF.
  public func append(to bytes: inout [UInt8]) {
    Self.append(#"{"source_object": "#, sourceObject, to: &bytes)
    Self.append(#", "line": "#, line, to: &bytes)
    Self.append(#", "fault": "#, fault.rawValue, to: &bytes)
    Self.append(#", "verdict": "#, verdict.rawValue, to: &bytes)
    Self.append(#", "reason": "#, reason, to: &bytes)
    Self.append(#", "event_id": "#, eventID, to: &bytes)
    Self.append(#", "rescued_field": "#, rescuedField, to: &bytes)
    Self.append(#", "original_object": "#, originalObject, to: &bytes)
    Self.append(#", "original_line": "#, originalLine, to: &bytes)
    bytes.append(contentsOf: "}\n".utf8)
  }

  private static func append(_ opening: String, _ text: String?, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: opening.utf8)
    if let text {
      JSONText.append(text, to: &bytes)
    } else {
      bytes.append(contentsOf: "null".utf8)
    }
  }

  private static func append(_ opening: String, _ number: Int?, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: opening.utf8)
    bytes.append(contentsOf: (number.map(String.init) ?? "null").utf8)
  }
}
