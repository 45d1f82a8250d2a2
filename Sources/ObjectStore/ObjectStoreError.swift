public import Flow

/// Why a store could not do what it was asked, and whether waiting can help.
public struct ObjectStoreError: OutageError, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// No object has this key.
    case notFound = "object_not_found"
    /// The disk or quota is full.
    case noSpace = "no_space"
    /// This user may not.
    case permission = "permission_denied"
    /// A file stands where a directory must be, or the other way around.
    case notADirectory = "not_a_directory"
    /// The key cannot be a key.
    case invalidKey = "invalid_key"
    /// Another object, with other content, already has this key.
    case exists = "object_exists"
    /// A setting of the store is wrong or missing: an address, a region, credentials.
    case misconfigured = "store_misconfigured"
    /// The device or the network failed.
    case io = "io_error"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// True where the cause lies outside the object and may pass: the caller waits and tries again.
  public var isOutage: Bool {
    switch code {
    case .noSpace, .io: true
    case .notFound, .permission, .notADirectory, .invalidKey, .exists, .misconfigured: false
    }
  }

  public var needsPerson: Bool { code == .noSpace }

  public var description: String { message }
}
