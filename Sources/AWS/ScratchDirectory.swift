import Foundation
import ObjectStore
import Synchronization

/// A directory of this process for what is on its way to or from S3, made when it is needed.
///
/// Those of processes that are gone are removed then.
final class ScratchDirectory: Sendable {
  private let parent: String
  private let path: String
  private let lastNumber = Mutex(0)

  /// - Parameter parent: a directory; made if it is not there.
  init(below parent: String) {
    self.parent = parent
    path = "\(parent)/\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  }

  deinit {
    if lastNumber.withLock({ $0 > 0 }) { try? FileManager.default.removeItem(atPath: path) }
  }

  /// A file without a name.
  func spool() throws -> Spool { try Spool(path: newPath(suffix: "spool"), isNamed: false) }

  /// A path that nothing has yet.
  func newPath(suffix: String) throws -> String {
    try lastNumber.withLock { number in
      if number == 0 { try make() }
      number += 1
      return "\(path)/\(number)-\(suffix)"
    }
  }

  private func make() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ObjectStoreError(
        .permission, "cannot make \(path): it must be a directory that this user may write")
    }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
      guard let process = name.split(separator: "-").first.flatMap({ pid_t($0) }),
        process != getpid(), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      try? FileManager.default.removeItem(atPath: "\(parent)/\(name)")
    }
  }
}
