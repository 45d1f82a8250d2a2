/// Why silver and gold could not be refreshed.
public struct TransformError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// dbt or the models are not there.
    case missing = "dbt_missing"
    /// The worker died or did not answer.
    case workerLost = "dbt_worker_lost"
    /// A model or a test failed; gold is as it was.
    case failed = "dbt_failed"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
