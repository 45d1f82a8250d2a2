public import Flow
import GRDB

/// Why the ledger cannot be used.
public struct LedgerError: OutageError, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// The file cannot be opened or is no ledger.
    case unreadable = "ledger_unreadable"
    /// The disk is full.
    case noSpace = "no_space"
    /// Another process held it for too long.
    case busy = "ledger_busy"
    /// The disk failed, or is full.
    case ioError = "io_error"
    /// SQLite failed otherwise.
    case failed = "ledger_failed"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ failure: any Error, path: String) {
    guard let failure = failure as? DatabaseError else {
      self.init(.failed, "the ledger \(path) failed: \(failure)")
      return
    }
    switch failure.resultCode {
    case .SQLITE_FULL: self.init(.noSpace, "no space for the ledger \(path): free some space")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.busy, "the ledger \(path) is held by another process")
    case .SQLITE_IOERR:
      self.init(
        .ioError, "the ledger \(path) cannot be read or written: is there space on the disk?")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      self.init(
        .unreadable,
        "\(path) is damaged or no ledger: move it aside, the next start rebuilds it from the commits"
      )
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
      self.init(
        .unreadable,
        "the ledger \(path) cannot be opened for writing: give this user the right to its directory"
      )
    default:
      let words = failure.message ?? failure.resultCode.description
      self.init(.failed, "the ledger \(path) failed: \(words)")
    }
  }

  /// True where waiting can help.
  public var isOutage: Bool { code == .noSpace || code == .busy || code == .ioError }

  public var needsPerson: Bool { code == .noSpace }

  public var description: String { message }
}
