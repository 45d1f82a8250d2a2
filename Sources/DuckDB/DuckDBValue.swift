/// One value of a parameter or a result.
public enum DuckDBValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case text(String)

  public var int: Int? {
    guard case .int(let value) = self else { return nil }
    return Int(value)
  }

  public var double: Double? {
    guard case .double(let value) = self else { return nil }
    return value
  }

  public var text: String? {
    guard case .text(let value) = self else { return nil }
    return value
  }

  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }
}

extension DuckDBValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  public init(stringLiteral value: String) { self = .text(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
}
