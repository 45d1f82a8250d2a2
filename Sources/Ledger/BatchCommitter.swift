import CrashPoint
import Flow
import Foundation
public import Lake
public import Logging
import ObjectStore

/// Commits batches and gives their files their places.
///
/// A batch is written under `tmp/`, committed by taking the next number in `commits/`, then
/// published: those very bytes get the keys that the commit names. Before the commit anything may
/// be planned anew; after it nothing is computed again.
public struct BatchCommitter: Sendable {
  /// Batches whose publication is noted in one transaction.
  private static let markedTogether = 500

  private let lake: Lake
  private let ledger: Ledger
  private let logger: Logger

  public init(lake: Lake, ledger: Ledger, logger: Logger) {
    self.lake = lake
    self.ledger = ledger
    self.logger = logger
  }

  /// Commits under the next free number. Returns nil if by then others had committed something
  /// that makes this batch void.
  ///
  /// - Parameter isVoid: asked before each try, of a ledger that has all commits before it.
  public func commit(_ batch: Commit, isVoid: () throws -> Bool) async throws -> Commit? {
    CrashPoint.beforeCommit.reach()
    var commit: Commit
    while true {
      // First the number, then the question: whoever committed before this number is in the ledger
      // by then, also where another task or process took it up.
      commit = batch.renumbered(try ledger.lastCommit() + 1)
      if try isVoid() { return nil }
      if try await lake.commits.append(commit) { break }
      try await ledger.catchUp(with: lake)
    }
    CrashPoint.afterCommit.reach()
    try ledger.apply([commit])
    try await lake.commits.checkpoint(at: commit.number)
    return commit
  }

  /// Moves the files of every committed batch that still waits for it, of whomever it is, to
  /// their keys.
  public func publishAll() async throws {
    var published: [Int] = []
    for batch in try ledger.unpublished() {
      try await Concurrently.forEach(batch.keys, atOnce: lake.store.concurrency) { key in
        let work = ObjectKey(trusted: "\(LakeLayout.work)\(batch.batch)/\(key.text)")
        CrashPoint.beforePublish.reach()
        do {
          try await lake.store.publish(work, as: key)
        } catch let failure as ObjectStoreError where failure.code == .notFound {
          // Its bytes are gone for good: only a copy of the lake can bring them back.
          logger.critical("a committed file is lost", metadata: ["key": "\(key)"])
          try ledger.park(
            ObjectInfo(key: key, sizeBytes: 0, modifiedNanos: 0), stage: "publish",
            reason: "committed in \(batch.commit), but neither in its place nor in tmp/")
        }
        CrashPoint.afterPublish.reach()
      }
      try await lake.store.deleteAll("\(LakeLayout.work)\(batch.batch)/")
      published.append(batch.commit)
      // A ledger that was made anew meets all batches there ever were.
      if published.count == Self.markedTogether {
        try ledger.markPublished(published)
        published = []
      }
    }
    if !published.isEmpty { try ledger.markPublished(published) }
  }

  /// Takes up what others committed, publishes what waits for it, and removes what this host
  /// began and never committed.
  public func recover() async throws {
    try await ledger.catchUp(with: lake)
    try await lake.commits.checkNothingFollows(try ledger.lastCommit())
    try await publishAll()
    for batch in try ledger.abandonedWork() { try await abandon(batch) }
    try await removeForgottenWork()
  }

  /// Removes the work of a batch that will not be committed.
  public func abandon(_ batch: String) async throws {
    try await lake.store.deleteAll("\(LakeLayout.work)\(batch)/")
    try ledger.endWork(batch)
  }

  /// Work that no ledger remembers is removed once it is a day old: nobody works on it any more.
  private func removeForgottenWork() async throws {
    let dayAgo = Int64((Date().timeIntervalSince1970 - 86_400) * 1e9)
    var forgotten: [ObjectKey] = []
    try await lake.store.list(LakeLayout.work) { object in
      if object.modifiedNanos < dayAgo { forgotten.append(object.key) }
      return true
    }
    for key in forgotten { try await lake.store.delete(key) }
  }
}
