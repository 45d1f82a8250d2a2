import Crypto
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
    try await open(in: store) { creating }
  }

  /// - Parameter creating: asked where there is no lake yet.
  public static func open(
    in store: any ObjectStore, creating: () async throws -> Bool
  ) async throws -> Lake {
    let log = CommitLog(store: store)
    if let identity = try await log.identity() { return Lake(store: store, identity: identity) }
    guard try await creating() else {
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

  /// A committed file as one of this host, with its SHA-256 in hexadecimal; nil if it is not there.
  public func localFile(
    _ key: ObjectKey
  ) async throws -> (file: LocalFile, sha256: String)? {
    do {
      let file = try await store.localFile(key, .whole)
      return (file, try await Self.sha256(of: file.reader(key)))
    } catch let failure as ObjectStoreError where failure.code == .notFound {
      return nil
    }
  }

  /// The SHA-256 of an object, in hexadecimal; nil if it is not there.
  public func sha256(of key: ObjectKey) async throws -> String? {
    do {
      return try await Self.sha256(of: store.open(key))
    } catch let failure as ObjectStoreError where failure.code == .notFound {
      return nil
    }
  }

  private static func sha256(of reader: any ObjectReader) async throws -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var hash = SHA256()
    while true {
      let count = try await reader.read(into: buffer)
      if count == 0 { return hash.finalize().hexadecimal }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
