/// Why the pipe does not do what it was asked for.
public struct PipeError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// It is paused.
    case paused = "pipe_paused"
    /// The file of users cannot be used.
    case badUsers = "users_unreadable"
    /// Errors cannot be told to this place.
    case badNotification = "bad_error_notification"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
