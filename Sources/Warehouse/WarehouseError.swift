/// Why the warehouse cannot be used.
public struct WarehouseError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// Somebody who does not take the lease has the file open.
    case locked = "warehouse_locked"
    /// A file is not what its commit says.
    case foreignBytes = "file_differs_from_commit"
    /// A file cannot be loaded.
    case unloadable = "file_unloadable"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
