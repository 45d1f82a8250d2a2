import Foundation
public import ObjectStore

/// A lake: the store that holds its objects, and which lake it is.
public struct Lake: Sendable {
  public let store: any ObjectStore
  public let identity: LakeIdentity
  public var commits: CommitLog { CommitLog(store: store) }

  /// Opens the lake in `store`.
  ///
  /// - Parameter creating: makes the lake there if there is none yet; otherwise that is an error.
  public static func open(in store: any ObjectStore, creating: Bool) async throws -> Lake {
    let log = CommitLog(store: store)
    if let identity = try await log.identity() { return Lake(store: store, identity: identity) }
    guard creating else {
      throw LakeError(
        .noLake,
        "there is no lake at \(store.location): start one with 'medallion run --lake \(store.location)'"
      )
    }
    let made = LakeIdentity(lake: UUID().uuidString.lowercased(), createdAt: Timestamp.text(Date()))
    // Of two that make it at once, one wins, and both read the same.
    _ = try await store.put(CommitLog.encode(made), at: LakeLayout.commit(0))
    guard let identity = try await log.identity() else {
      throw LakeError(.corruptCommit, "\(LakeLayout.commit(0)) vanished as it was made")
    }
    return Lake(store: store, identity: identity)
  }
}
