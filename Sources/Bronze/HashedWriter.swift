import Crypto
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
  func finish(rows: Int) async throws -> Commit.File {
    try await writer.finish()
    return Commit.File(
      key: key, size: Int64(sizeBytes), rows: rows, sha256: hash.finalize().hexadecimal)
  }
}
