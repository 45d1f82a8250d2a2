import Foundation
import Lake
import Ledger

/// Lets one process at a time run a given stage of a lake.
public struct StageLock: Sendable {
  private let lock: FileLock

  /// What stands behind the process's number where the stage is held for one load only.
  private static let briefly = " briefly"

  /// Throws `LakeError.stageBusy` if another process has the stage. One that has it for a moment is
  /// waited for.
  ///
  /// - Parameter isBrief: this one has it for a moment.
  public init(_ stage: String, state: String, isBrief: Bool = false) throws {
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
    var looks = 0
    while true {
      if let lock = try FileLock.tryAcquire(path) {
        let process = String(ProcessInfo.processInfo.processIdentifier)
        lock.note(isBrief ? process + Self.briefly : process)
        self.lock = lock
        return
      }
      let holder = FileLock.note(at: path)
      looks += 1
      // The holder may be about to write its word: it is read twice.
      if isBrief || (looks > 1 && holder?.hasSuffix(Self.briefly) != true) {
        let process = holder.map { " (process \($0))" } ?? ""
        throw LakeError(
          .stageBusy,
          "another process\(process) runs \(stage) on this lake: stop it first, or let it do the work"
        )
      }
      usleep(20_000)
    }
  }
}
