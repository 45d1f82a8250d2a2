import Contract
import Lake
import ObjectStore

/// Writes a batch's quarantined lines, a file for each UTC date on which raw objects arrived.
actor QuarantineWriter {
  private let batch: BatchID
  private let store: any ObjectStore
  private var files: [String: (writer: HashedWriter, records: Int)] = [:]

  init(batch: BatchID, store: any ObjectStore) {
    self.batch = batch
    self.store = store
  }

  /// Adds whole records.
  func append(_ lines: [UInt8], records: Int, day: String) throws {
    if files[day] == nil {
      let key = LakeLayout.quarantineFile(day: day, batch: batch)
      files[day] = (try HashedWriter(key, batch: batch, in: store), 0)
    }
    try lines.withUnsafeBytes { try files[day]!.writer.write($0) }
    files[day]!.records += records
  }

  func finish() async throws -> [Commit.File] {
    let written = files.sorted { $0.key < $1.key }.map {
      WrittenFile(writer: $0.value.writer, rows: $0.value.records)
    }
    files = [:]
    return try await WrittenFile.finish(written, in: store)
  }
}
