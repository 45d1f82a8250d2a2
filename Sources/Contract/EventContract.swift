/// The fields of an event: which columns bronze has, and what each of them takes.
///
/// Made from `contract/purchase_event.schema.json`, which alone names the fields.
public struct EventContract: Sendable, Equatable {
  /// One field, and so one column.
  public struct Field: Sendable, Equatable {
    /// The member's name in the event and the column's name in bronze.
    public let name: String
    /// What the column holds, and which values of it.
    public let type: FieldType

    /// A field of that name and type.
    public init(name: String, type: FieldType) {
      self.name = name
      self.type = type
    }
  }

  /// A field's type and rule. What breaks either is NULL and rescued, or in a required field the
  /// line's quarantine.
  public enum FieldType: Sendable, Equatable {
    /// A JSON string of `minBytes` to `maxBytes` bytes of UTF-8, escapes undone.
    case string(minBytes: Int, maxBytes: Int)
    /// A JSON string that is an RFC 3339 date-time with an offset, as microseconds since
    /// 1970-01-01T00:00:00Z: `minMicros` ≤ t < `endMicros`.
    case timestamp(minMicros: Int64, endMicros: Int64)
    /// A JSON number, or a string that is exactly one, which is finite as a double.
    case double(minimum: Double, maximum: Double)
    /// A JSON number, or a string that is exactly one, which as a double is whole and in range.
    case int32(minimum: Int32, maximum: Int32)
    /// As `int32`; but a number written without fraction and exponent is taken exactly, also where
    /// doubles have gaps.
    case int64(minimum: Int64, maximum: Int64)
    /// JSON true or false.
    case boolean

    /// The column that holds values of this type.
    public var kind: ColumnBuffer.Kind {
      switch self {
      case .string: .string
      case .timestamp: .timestamp
      case .double: .double
      case .int32: .int32
      case .int64: .int64
      case .boolean: .boolean
      }
    }
  }

  /// The name of the required string that identifies an event.
  public static let idName = "event_id"
  /// The name of the required date-time that says when the event happened.
  public static let timestampName = "ts"
  /// Names that bronze and staging give to columns of their own.
  public static let reservedNames = [
    EventColumns.rescuedDataName, "_source_object", "_source_line", "dt", "_load_seq",
  ]

  /// The fields, in the order of the schema's properties.
  public let fields: [Field]
  /// Where in `fields` `event_id` is.
  public let idIndex: Int
  /// Where in `fields` `ts` is.
  public let timestampIndex: Int
}
