import Foundation
import Lake
import Ledger

/// Lets one process at a time run a given stage of a lake.
public struct StageLock: Sendable {
  private let lock: FileLock

  /// Throws `LakeError.stageBusy` if another process has the stage.
  public init(_ stage: String, state: String) throws {
    let directory = "\(state)/locks"
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw LakeError(
        .unsupportedPlace,
        "cannot make \(directory): it must be a directory that this user may write")
    }
    let path = "\(directory)/\(stage).lock"
    guard let lock = try FileLock.tryAcquire(path) else {
      let holder = FileLock.note(at: path).map { " (process \($0))" } ?? ""
      throw LakeError(
        .stageBusy,
        "another process\(holder) runs \(stage) on this lake: stop it first, or let it do the work")
    }
    lock.note(String(ProcessInfo.processInfo.processIdentifier))
    self.lock = lock
  }
}
