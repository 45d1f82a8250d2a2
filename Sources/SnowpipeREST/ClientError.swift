/// Why a client could not do its work, if it is not that the service refused.
public struct ClientError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// The endpoint cannot be one.
    case badEndpoint = "bad_endpoint"
    /// Nobody answers.
    case unreachable = "unreachable"
    /// The answer is not what the protocol says.
    case notUnderstood = "answer_not_understood"
    /// This machine's clock is wrong.
    case clock = "clock_off"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
