import CrashPoint
import Crypto
import DuckDB
public import Flow
import Foundation
public import Lake
public import Ledger
public import Logging
import ObjectStore
import ServiceLifecycle
public import Warehouse

/// Bronze → staging: the embedded pipe. Each published file is loaded once, in any order, however
/// often it is announced.
///
/// The queue is what is published and has no row in the load history. A file whose bytes are not
/// those of its commit is parked, not loaded.
public struct PipeStage: Sendable {
  public static let name = "retail.raw.retail_bronze_pipe"

  /// After how many faults of its own a file is parked.
  private static let mostTries = 3
  /// Files of one load, and their bytes.
  private static let mostFiles = 200
  private static let mostBytes: Int64 = 256 << 20

  private let lake: Lake
  private let ledger: Ledger
  private let warehouse: Warehouse
  private let contract: ContractFile
  private let logger: Logger
  private let loaded: @Sendable (_ rows: Int) -> Void

  /// - Parameter loaded: called after each load with its rows.
  public init(
    lake: Lake, ledger: Ledger, warehouse: Warehouse, contract: ContractFile, logger: Logger,
    loaded: @escaping @Sendable (_ rows: Int) -> Void = { _ in }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.warehouse = warehouse
    self.contract = contract
    self.logger = logger
    self.loaded = loaded
  }

  /// Loads everything that waits and returns.
  public func runOnce() async throws {
    try await begin()
    try await loadWaiting()
  }

  /// Loads what waits and what comes, until a graceful shutdown, or until `upstream` has finished
  /// and nothing waits.
  ///
  /// - Parameters:
  ///   - upstream: raised when batches were committed; nil where another process commits them,
  ///     which the store then tells.
  ///   - waiting: kept at the number of files that wait.
  ///   - staged: raised after each load, finished at the end.
  public func run(
    upstream: Signal? = nil, waiting: Backlog? = nil, staged: Signal = Signal()
  ) async throws {
    defer { staged.finish() }
    try await Outage.waitOut(stage: "pipe", logger: logger) { try await begin() }
    let signal = upstream ?? Signal()
    // What waits from before counts as a first wake.
    if upstream == nil { signal.raise() }
    let changes = upstream == nil ? lake.store.changes(LakeLayout.commits) : nil
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        if let changes {
          group.addTask { for await _ in changes { signal.raise() } }
          group.addTask {
            // Hints may be lost.
            while true {
              try await Task.sleep(for: .seconds(5))
              signal.raise()
            }
          }
        }
        try await loadWaiting(waiting: waiting, staged: staged)
        for await _ in signal.wakes {
          if Task.isShuttingDownGracefully { break }
          try await loadWaiting(waiting: waiting, staged: staged)
        }
        group.cancelAll()
      }
      if !Task.isShuttingDownGracefully {
        try await loadWaiting(waiting: waiting, staged: staged)
      }
    } onGracefulShutdown: {
      signal.finish()
      waiting?.close()
    }
  }

  // MARK: -

  /// Files that were parked are looked at again at each start: a person may have mended them.
  private func begin() async throws {
    for parked in try ledger.parked(stages: ["pipe", "publish"]) { try ledger.unpark(parked.key) }
    try await reconcile()
  }

  /// Makes the ledger's marks agree with the load history.
  private func reconcile() async throws {
    try await ledger.catchUp(with: lake)
    try await BatchCommitter(lake: lake, ledger: ledger, logger: logger).publishAll()
    let (paths, counts) = try await warehouse.withConnection { connection in
      let staging = try StagingTable(connection, contract: contract.contract)
      return (try staging.loadedPaths(pipe: Self.name), try WarehouseCounts(connection))
    }
    try ledger.setGauge("warehouse", counts)
    try ledger.setLoaded(exactly: paths)
  }

  private func loadWaiting(waiting: Backlog? = nil, staged: Signal? = nil) async throws {
    let limit: Duration? = staged == nil ? .seconds(30) : nil
    var isDone = false
    while !isDone, !Task.isShuttingDownGracefully {
      isDone = try await Outage.waitOut(limit: limit, stage: "pipe", logger: logger) {
        try await loadSome()
      }
      waiting?.set(try ledger.waitingFileCount(published: true))
      if !isDone { staged?.raise() }
    }
  }

  /// Loads the files that go into one transaction; true if none were left.
  private func loadSome() async throws -> Bool {
    try await ledger.catchUp(with: lake)
    // Whoever committed may have died since, or be slower than the notice of it.
    try await BatchCommitter(lake: lake, ledger: ledger, logger: logger).publishAll()
    let files = try nextFiles()
    if files.isEmpty { return true }
    let sound = try await parkingForeign(files)
    if !sound.isEmpty { try await load(sound) }
    return false
  }

  private func nextFiles() throws -> [Ledger.Waiting] {
    var bytes: Int64 = 0
    var files: [Ledger.Waiting] = []
    for waiting in try ledger.waitingFiles(limit: Self.mostFiles) {
      if !files.isEmpty, bytes + waiting.file.size > Self.mostBytes { break }
      files.append(waiting)
      bytes += waiting.file.size
    }
    return files
  }

  /// The files whose bytes are those of their commits; the others are parked.
  private func parkingForeign(_ files: [Ledger.Waiting]) async throws -> [Ledger.Waiting] {
    var sound: [Ledger.Waiting] = []
    for waiting in files {
      switch try await lake.sha256(of: waiting.file.key) {
      case waiting.file.sha256: sound.append(waiting)
      case nil: try park(waiting, "is not in its place")
      default: try park(waiting, "is not what commit \(waiting.commit) made")
      }
    }
    return sound
  }

  private func park(_ waiting: Ledger.Waiting, _ reason: String) throws {
    logger.error(
      "a bronze file is parked", metadata: ["key": "\(waiting.file.key)", "reason": "\(reason)"])
    try ledger.park(
      ObjectInfo(key: waiting.file.key, sizeBytes: waiting.file.size, modifiedNanos: 0),
      stage: "pipe", reason: reason)
  }

  /// Loads files together, and where that fails one by one, to find the one at fault.
  private func load(_ files: [Ledger.Waiting]) async throws {
    do {
      try await loadTogether(files)
    } catch let failure as any OutageError where failure.isOutage {
      throw failure
    } catch {
      // Whatever went wrong, the history tells what was loaded.
      try await reconcile()
      let history = Set(try ledger.waitingFiles(limit: .max).map(\.file.key))
      let left = files.filter { history.contains($0.file.key) }
      guard left.count == 1 else {
        for file in left { try await load([file]) }
        return
      }
      let count = try ledger.recordTry(
        left[0].file.key, stage: "pipe", reason: String(describing: error))
      if count >= Self.mostTries { try park(left[0], "cannot be loaded: \(error)") }
    }
  }

  private func loadTogether(_ files: [Ledger.Waiting]) async throws {
    let counts = try await warehouse.withConnection { connection in
      let staging = try StagingTable(connection, contract: contract.contract)
      CrashPoint.beforeLoad.reach()
      try staging.load(
        files.map {
          StagingTable.Source(
            file: $0.file, commit: $0.commit, path: lake.store.readablePath($0.file.key))
        }, pipe: Self.name)
      CrashPoint.afterLoad.reach()
      return try WarehouseCounts(connection)
    }
    try ledger.setGauge("warehouse", counts)
    try ledger.markLoaded(files.map(\.file.key.text))
    let rows = files.map(\.file.rows).reduce(0, +)
    logger.info("loaded", metadata: ["files": "\(files.count)", "rows": "\(rows)"])
    loaded(rows)
  }
}
