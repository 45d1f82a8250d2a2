import Crypto
import Flow
import Foundation
import Lake
import Ledger
import Logging
import ObjectStore
import Synchronization
import Warehouse

/// The files below `dimensions/`, as the pipe last saw them.
///
/// A file is looked into where its size or time is not what it was, and loaded where its SHA-256 is
/// not that of what its table holds. One that cannot be loaded is parked until it changes; one that
/// vanishes leaves its table as it is.
final class DimensionFiles: Sendable {
  /// What a file may be at most, in bytes.
  static let largestBytes: Int64 = 64 << 20

  /// A private copy of a file that is to be loaded: DuckDB reads the very bytes that were hashed.
  struct Copy: Sendable {
    let dimension: DimensionTable
    let info: ObjectInfo
    let path: String
    let header: String
    let sha256: String
  }

  private struct State {
    /// The files that need no second look as they are.
    var seen: [DimensionTable: ObjectInfo] = [:]
    var loaded: [String: String] = [:]
    /// Why a file is parked.
    var parked: [DimensionTable: String] = [:]
  }

  private let lake: Lake
  private let ledger: Ledger
  private let logger: Logger
  /// The beginning of the copies' paths.
  private let scratch: String
  private let state = Mutex(State())

  init(lake: Lake, ledger: Ledger, scratch: String, logger: Logger) {
    self.lake = lake
    self.ledger = ledger
    self.scratch = scratch
    self.logger = logger
  }

  /// Begins anew: every file is looked into.
  ///
  /// - Parameter loaded: the SHA-256 of the file that each table holds.
  func begin(loaded: [String: String]) throws {
    for parked in try ledger.parked(stages: [PipeStage.dimensionStage]) {
      try ledger.unpark(parked.key)
    }
    state.withLock { $0 = State(seen: [:], loaded: loaded, parked: [:]) }
  }

  /// Copies of the files that have to be loaded.
  func changed() async throws -> [Copy] {
    var copies: [Copy] = []
    for dimension in DimensionTable.all {
      if let copy = try await look(at: dimension) { copies.append(copy) }
    }
    return copies
  }

  /// Notes what became of a copy, and removes it. Throws an outage, after which it is copied again.
  func note(_ copy: Copy, _ result: Result<Int, any Error>) throws {
    try? FileManager.default.removeItem(atPath: copy.path)
    switch result {
    case .success(let rows):
      state.withLock { $0.loaded[copy.dimension.name] = copy.sha256 }
      logger.info(
        "dimension loaded", metadata: ["key": "\(copy.dimension.key)", "rows": "\(rows)"])
      try settle(copy.dimension, copy.info)
    case .failure(let failure as WarehouseError) where failure.code == .brokenDimension:
      try park(copy.dimension, copy.info, failure.message)
    case .failure(let failure as any OutageError) where failure.isOutage:
      throw failure
    case .failure:
      try park(copy.dimension, copy.info, "does not go into its table")
    }
  }

  // MARK: -

  private func look(at dimension: DimensionTable) async throws -> Copy? {
    do {
      return try await lookOpening(dimension)
    } catch let failure as ObjectStoreError where !failure.isOutage {
      // Such as a right that is missing, which may be given without a change of the file.
      try park(dimension, nil, failure.message)
      return nil
    }
  }

  private func lookOpening(_ dimension: DimensionTable) async throws -> Copy? {
    guard var info = try await lake.store.info(dimension.key) else {
      try settle(dimension, nil)
      return nil
    }
    if state.withLock({ $0.seen[dimension] == info }) { return nil }
    if info.sizeBytes > Self.largestBytes {
      try park(dimension, info, "is larger than \(Self.largestBytes >> 20) MiB")
      return nil
    }
    // Whoever copies it in may be at it. What changes while it is read is left for the next look.
    try await rest(info)
    guard let (copy, whole) = try await read(dimension) else { return nil }
    info = copy.info
    if state.withLock({ $0.loaded[dimension.name] == copy.sha256 }) {
      try? FileManager.default.removeItem(atPath: copy.path)
      try settle(dimension, info)
      return nil
    }
    guard whole else {
      try? FileManager.default.removeItem(atPath: copy.path)
      try park(dimension, info, "has no header in UTF-8")
      return nil
    }
    return copy
  }

  /// Waits until a file has rested as long as the store asks for.
  private func rest(_ info: ObjectInfo) async throws {
    let age = Duration.nanoseconds(
      Int64(Date().timeIntervalSince1970 * 1e9) - info.modifiedNanos)
    let left = min(lake.store.settleTime - age, lake.store.settleTime)
    if left > .zero { try await Task.sleep(for: left) }
  }

  /// Copies a file, and tells whether it begins with a header; nil if it vanished or changed.
  private func read(_ dimension: DimensionTable) async throws -> (copy: Copy, hasHeader: Bool)? {
    let path = "\(scratch)\(dimension.name).csv"
    do {
      let reader = try await lake.store.open(dimension.key)
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      guard let file = FileHandle(forWritingAtPath: path) else {
        throw WarehouseError(.unloadable, "cannot write \(path)")
      }
      defer { try? file.close() }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
      defer { buffer.deallocate() }
      var hash = SHA256()
      var start: [UInt8] = []
      var size: Int64 = 0
      while true {
        let count = try await reader.read(into: buffer)
        if count == 0 { break }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if start.isEmpty { start = Array(bytes.prefix(1 << 16)) }
        hash.update(bufferPointer: bytes)
        do {
          try file.write(contentsOf: bytes)
        } catch let failure as CocoaError where failure.code == .fileWriteOutOfSpace {
          throw ObjectStoreError(.noSpace, "cannot write \(path): free some space")
        }
        size += Int64(count)
        guard size <= Self.largestBytes else { return nil }
      }
      guard try await reader.isUnchanged() else { return nil }
      let header = Self.header(start)
      let copy = Copy(
        dimension: dimension, info: reader.info, path: path, header: header ?? "",
        sha256: hash.finalize().hexadecimal)
      return (copy, header != nil)
    } catch let failure as ObjectStoreError where failure.code == .notFound {
      return nil
    }
  }

  /// The first line, without a byte order mark; nil if there is none.
  private static func header(_ start: [UInt8]) -> String? {
    let bytes = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return line.isEmpty ? nil : String(validating: line, as: UTF8.self)
  }

  /// Notes that a file, as it is, is done with, and nothing is wrong with it.
  private func settle(_ dimension: DimensionTable, _ info: ObjectInfo?) throws {
    let wasParked = state.withLock { state in
      state.seen[dimension] = info
      return state.parked.removeValue(forKey: dimension) != nil
    }
    if wasParked { try ledger.unpark(dimension.key) }
  }

  /// - Parameter info: the file as it need not be looked into again.
  private func park(_ dimension: DimensionTable, _ info: ObjectInfo?, _ reason: String) throws {
    let sentence = "\(reason); \(dimension.table) stays as it was"
    let isKnown = state.withLock { state in
      state.seen[dimension] = info
      return state.parked.updateValue(sentence, forKey: dimension) == sentence
    }
    if isKnown { return }
    logger.error(
      "a dimension file is parked",
      metadata: ["key": "\(dimension.key)", "reason": "\(sentence)"])
    let object = info ?? ObjectInfo(key: dimension.key, sizeBytes: 0, modifiedNanos: 0)
    try ledger.park(object, stage: PipeStage.dimensionStage, reason: sentence)
  }
}
