/// What is wrong with a schema or a quarantine record. A bad line is no error but a verdict.
public struct ContractError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of fault it is; the raw values are stable.
  public enum Code: String, Sendable, CaseIterable {
    /// The schema is not JSON, or has two members of one name in one object.
    case malformedSchema = "malformed_schema"
    /// The schema does not describe an object with properties, or says more than the decoder can
    /// hold to.
    case unsupportedKeyword = "unsupported_keyword"
    /// A property has a type that is no column.
    case unsupportedType = "unsupported_type"
    /// A bound is not what its type allows, or leaves no value.
    case invalidBound = "invalid_bound"
    /// A property's name cannot be a column's.
    case invalidName = "invalid_name"
    /// The required fields are not `event_id` and `ts`.
    case requiredFields = "required_fields"
    /// Text is no quarantine record.
    case malformedQuarantineRecord = "malformed_quarantine_record"
  }

  /// What kind of fault it is.
  public let code: Code
  /// One sentence: what is wrong, where, and the mend.
  public let message: String

  /// An error of that code, with its sentence.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
