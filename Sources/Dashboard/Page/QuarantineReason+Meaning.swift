import Contract

extension QuarantineReason {
  /// What a person reads beside the samples.
  var meaning: String {
    switch self {
    case .lineTooLong: "The line is over 1 MiB long."
    case .invalidUnicode: "The line is not UTF-8, or one of its strings has half a surrogate pair."
    case .malformedJSON: "The line is no JSON."
    case .tooDeep: "Something in the line is nested deeper than 64 levels."
    case .notAnObject: "The line is JSON, but no object."
    case .duplicateKey: "Two members have one name."
    case .missingEventID: "There is no event_id, or it is null."
    case .invalidEventID: "The event_id is no string of 1 to 256 bytes."
    case .missingTimestamp: "There is no ts, or it is null."
    case .invalidTimestamp: "The ts is no RFC 3339 date-time with an offset."
    case .timestampOutOfRange: "The ts is before 2000 or after 2099."
    }
  }
}
