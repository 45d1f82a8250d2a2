/// Why a line is quarantined, in the order in which a line is judged: the first that holds wins.
public enum QuarantineReason: String, CaseIterable, Sendable {
  /// Over 1 MiB, without its line end.
  case lineTooLong = "line_too_long"
  /// Not UTF-8, or a string with an unpaired surrogate.
  case invalidUnicode = "invalid_unicode"
  /// Not JSON by RFC 8259.
  case malformedJSON = "malformed_json"
  /// A container opens at level 65; the line's own object is level 1.
  case tooDeep = "too_deep"
  /// JSON, but no object.
  case notAnObject = "not_an_object"
  /// Two members of the line's own object have one name, once escapes are undone.
  case duplicateKey = "duplicate_key"
  /// `event_id` is absent or null.
  case missingEventID = "missing_event_id"
  /// `event_id` is no string, or too short or too long.
  case invalidEventID = "invalid_event_id"
  /// `ts` is absent or null.
  case missingTimestamp = "missing_ts"
  /// `ts` is no string, or no RFC 3339 date-time with an offset.
  case invalidTimestamp = "invalid_ts"
  /// `ts` is before or after the range that the contract allows.
  case timestampOutOfRange = "ts_out_of_range"
}
