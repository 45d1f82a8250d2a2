/// What a service answers instead: an HTTP status, the vendor's code, and a sentence.
public struct PipeRefusal: Error, CustomStringConvertible, Sendable {
  public let status: Int
  public let code: String
  public let message: String
  /// How long to wait before another try, in seconds.
  public var retryAfterSeconds: Int?

  public init(_ status: Int, _ message: String, code: String? = nil) {
    self.status = status
    self.code = code ?? "390\(status)"
    self.message = message
  }

  public var description: String { message }
}

/// The body of a refusal.
public struct RefusalBody: Codable, Sendable {
  public let code: String
  public let message: String

  enum CodingKeys: String, CodingKey { case data, code, message, success, headers }

  public init(_ refusal: PipeRefusal) {
    code = refusal.code
    message = refusal.message
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    code = try container.decodeIfPresent(String.self, forKey: .code) ?? ""
    message = try container.decodeIfPresent(String.self, forKey: .message) ?? ""
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeNil(forKey: .data)
    try container.encode(code, forKey: .code)
    try container.encode(message, forKey: .message)
    try container.encode(false, forKey: .success)
    try container.encodeNil(forKey: .headers)
  }
}
