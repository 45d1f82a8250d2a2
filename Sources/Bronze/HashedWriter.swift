import Crypto
import Flow
import Lake
import ObjectStore

/// Writes a work object and takes its size and SHA-256 on the way.
final class HashedWriter {
  let key: ObjectKey
  private let writer: any ObjectWriter
  private var hash = SHA256()
  private(set) var sizeBytes = 0

  /// - Parameter key: the final key; the object is written below `tmp/`.
  init(_ key: ObjectKey, batch: BatchID, in store: any ObjectStore) throws {
    self.key = key
    writer = try store.createWorkObject(LakeLayout.workFile(for: key, batch: batch))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    hash.update(bufferPointer: bytes)
    sizeBytes += bytes.count
    try writer.write(bytes)
  }

  /// Makes the object durable.
  fileprivate func finish(rows: Int) async throws -> Commit.File {
    try await writer.finish()
    return Commit.File(
      key: key, size: Int64(sizeBytes), rows: rows, sha256: hash.finalize().hexadecimal)
  }
}

/// A work object to which nothing is written any more.
///
/// Unchecked, because a writer is not sendable. Sound, because whoever wrote lets go of it with this.
struct WrittenFile: @unchecked Sendable {
  let writer: HashedWriter
  let rows: Int

  /// Makes the objects durable, as many at once as the store likes.
  static func finish(
    _ files: [WrittenFile], in store: any ObjectStore
  ) async throws -> [Commit.File] {
    try await Concurrently.map(files, atOnce: store.concurrency) { file in
      try await file.writer.finish(rows: file.rows)
    }
  }
}
