public import Flow

/// Why the warehouse cannot be used.
public struct WarehouseError: OutageError, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// Somebody who does not take the lease has the file open.
    case locked = "warehouse_locked"
    /// The file is damaged, no DuckDB file, or may not be read.
    case unreadable = "warehouse_unreadable"
    /// A file is not what its commit says.
    case foreignBytes = "file_differs_from_commit"
    /// A file cannot be loaded.
    case unloadable = "file_unloadable"
    /// A dimension file cannot be read as what it should be.
    case brokenDimension = "dimension_broken"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var isOutage: Bool { code == .locked }

  public var description: String { message }
}
