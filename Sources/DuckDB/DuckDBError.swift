public import Flow

/// What DuckDB refused, and what the caller can do about it.
public struct DuckDBError: OutageError, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// Another process has the file open.
    case locked = "warehouse_locked"
    /// The disk is full.
    case noSpace = "no_space"
    /// The instance has given up: close it and open the file again.
    case fatal = "warehouse_fatal"
    /// The file cannot be opened: no right, not a DuckDB file, of another version.
    case cannotOpen = "warehouse_unreadable"
    /// A statement failed.
    case statement = "statement_failed"
    /// A result has a type that this face does not read.
    case unsupportedType = "unsupported_type"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Sorts DuckDB's own words, which carry no code that the C API could tell.
  init(opening: Bool, words: String) {
    let code: Code =
      if words.hasPrefix("Invalid Input Error") || words.hasPrefix("Conversion Error") {
        // They quote what a file holds: whatever it says of disks and locks is not DuckDB's word.
        .statement
      } else if words.contains("Could not set lock") || words.contains("Conflicting lock") {
        .locked
      } else if words.contains("No space left") || words.contains("disk full")
        || words.contains("failed to offload")
      {
        .noSpace
      } else if words.contains("FATAL") || words.contains("has been invalidated") {
        .fatal
      } else if words.contains("not a valid DuckDB database file")
        || words.contains("Cannot open file")
      {
        .cannotOpen
      } else {
        opening ? .cannotOpen : .statement
      }
    self.init(code, words)
  }

  public var isOutage: Bool {
    switch code {
    case .locked, .noSpace, .fatal: true
    case .cannotOpen, .statement, .unsupportedType: false
    }
  }

  public var needsPerson: Bool { code == .noSpace }

  public var description: String { message }
}
