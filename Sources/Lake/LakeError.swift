/// Why a lake cannot be used as it is.
public struct LakeError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// There is no lake at this place.
    case noLake = "no_lake"
    /// The lake was written by a later version of this program.
    case newerFormat = "newer_format"
    /// A commit or a checkpoint cannot be read.
    case corruptCommit = "corrupt_commit"
    /// `gold/current.json` cannot be read.
    case corruptPointer = "corrupt_pointer"
    /// A ledger or a warehouse belongs to another lake.
    case foreignState = "foreign_state"
    /// A committed file is neither in its place nor in `tmp/`.
    case lostFile = "lost_file"
    /// Another process runs this stage of this lake.
    case stageBusy = "stage_busy"
    /// There is no contract file.
    case noContract = "no_contract"
    /// The place cannot hold a lake.
    case unsupportedPlace = "unsupported_place"
    /// Another engine than this program, which was asked to do the work, failed.
    case engineFailed = "engine_failed"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
