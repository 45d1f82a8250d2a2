/// One way in which the simulator departs from a clean line, and what must become of that line.
///
/// The raw value is the fault's name in a fault list and in the answer key; the names of the faults
/// that get a line quarantined are the contract's reasons.
public enum FaultKind: String, CaseIterable, Codable, Hashable, Sendable {
  /// The purchase is one to 64 hours older than its neighbours.
  case late
  /// An earlier event's line once more, byte for byte.
  case duplicate
  /// An earlier event's id and time with another quantity and total.
  case conflict

  /// The category or the customer id in other letter case or with blanks around it.
  case messy
  /// A member that the contract does not name.
  case unknownField = "unknown_field"
  /// A value that breaks its field's type or rule, such as the price `"N/A"`.
  case badType = "bad_type"

  /// A line of blanks or nothing, before an event's line.
  case blank

  /// Text that is no JSON: cut short, a comma too many, `NaN`, …
  case malformedJSON = "malformed_json"
  /// Bytes that are no UTF-8, or half a surrogate pair.
  case invalidUnicode = "invalid_unicode"
  /// A container at level 65 or deeper.
  case tooDeep = "too_deep"
  /// JSON that is an array, a string, a number, …
  case notAnObject = "not_an_object"
  /// Two members of one name.
  case duplicateKey = "duplicate_key"
  /// `event_id` absent or null.
  case missingEventID = "missing_event_id"
  /// `event_id` not a string, empty, or over 256 bytes.
  case invalidEventID = "invalid_event_id"
  /// `ts` absent or null.
  case missingTimestamp = "missing_ts"
  /// `ts` not an RFC 3339 date-time with an offset.
  case invalidTimestamp = "invalid_ts"
  /// `ts` outside 2000 to 2099.
  case timestampOutOfRange = "ts_out_of_range"
  /// A line of over 1 MiB.
  case lineTooLong = "line_too_long"

  /// One of the purchases that a till sends at once after hours without a connection.
  case offline
  /// The purchase is some seconds or minutes older than its neighbours.
  case disorder
  /// The store's clock is wrong, always by as much.
  case clockSkew = "clock_skew"
  /// An optional field absent or null.
  case missingField = "missing_field"
  /// A new member that one version of the tills' program begins to send.
  case drift
  /// The object ends in the middle of its last line.
  case truncated

  /// The verdict that the contract gives the line.
  public var expectedVerdict: ExpectedVerdict {
    switch self {
    case .late, .duplicate, .conflict, .messy, .unknownField, .badType, .offline, .disorder,
      .clockSkew, .missingField, .drift:
      .accepted
    case .blank: .blank
    case .malformedJSON, .invalidUnicode, .tooDeep, .notAnObject, .duplicateKey, .missingEventID,
      .invalidEventID, .missingTimestamp, .invalidTimestamp, .timestampOutOfRange, .lineTooLong,
      .truncated:
      .quarantined
    }
  }

  /// The reason for which the line is quarantined, or nil when it is not.
  public var expectedReason: String? {
    guard expectedVerdict == .quarantined else { return nil }
    return self == .truncated ? FaultKind.malformedJSON.rawValue : rawValue
  }

  /// Whether the fault is drawn for each event and takes the place of its line. A blank line stands
  /// beside one, and whether an object is truncated is drawn for each object.
  var replacesEvent: Bool { self != .blank && self != .truncated }

  /// Whether the fault repeats an earlier event.
  var needsHistory: Bool { self == .duplicate || self == .conflict }

  /// The share of a group's rate that falls to this fault, against the group's other faults.
  ///
  /// A line of 1 MiB weighs as much as four thousand events, so a group makes one for a thousand of
  /// any other; its own name in the list overrides that.
  var weightInGroup: Double { self == .lineTooLong ? 0.001 : 1 }
}

extension FaultKind {
  /// What the fault is, in a line for `--help`.
  public var summary: String {
    switch self {
    case .late: "an event 1 to 64 hours older than its neighbours"
    case .duplicate: "an earlier line once more, byte for byte"
    case .conflict: "an earlier event's id with another quantity and total"
    case .messy: "category or customer id in other case, with blanks around"
    case .unknownField: "a member that the contract does not name"
    case .badType: "a value that breaks its field's type or rule"
    case .blank: "a blank line before an event's"
    case .malformedJSON: "text that is no JSON"
    case .invalidUnicode: "bytes that are no UTF-8, or half a surrogate pair"
    case .tooDeep: "a container at level 65 or deeper"
    case .notAnObject: "JSON that is no object"
    case .duplicateKey: "two members of one name"
    case .missingEventID: "event_id absent or null"
    case .invalidEventID: "event_id no string, empty or over 256 bytes"
    case .missingTimestamp: "ts absent or null"
    case .invalidTimestamp: "ts no RFC 3339 date-time"
    case .timestampOutOfRange: "ts outside 2000 to 2099"
    case .lineTooLong: "a line of over 1 MiB"
    case .offline: "a till's sales of up to eight hours, sent at once"
    case .disorder: "an event up to ten minutes older than its neighbours"
    case .clockSkew: "a ts off by up to 15 minutes, the same for all of a store"
    case .missingField: "an optional field absent or null"
    case .drift: "a new member, from the simulator's 1000th event on"
    case .truncated: "an object (and not an event) cut in its last line"
    }
  }
}

/// What the contract makes of a line.
public enum ExpectedVerdict: String, Codable, Hashable, Sendable {
  /// It becomes a bronze row.
  case accepted
  /// It is kept in quarantine with its reason.
  case quarantined
  /// It is counted and nothing more.
  case blank
}
