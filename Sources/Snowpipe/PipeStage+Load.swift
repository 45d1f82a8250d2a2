import CrashPoint
import DuckDB
import Flow
import Foundation
import Lake
import Ledger
import Logging
import ObjectStore
import Warehouse

extension PipeStage {
  /// What is loaded.
  package enum Scope {
    /// Whatever waits.
    case everything
    /// Bronze files that were queued.
    case queue
  }

  /// What goes into the warehouse under one lease, each kind in a transaction of its own.
  private struct Load {
    var dimensions: [DimensionFiles.Copy] = []
    var bronze: [Ledger.Waiting] = []
    var quarantine = Ledger.WaitingQuarantine()
    /// Where the warehouse reads the files.
    var local: [ObjectKey: LocalFile] = [:]
    /// What cannot be loaded, for the copy history.
    var failures: [Ledger.PipeEvent] = []

    var isEmpty: Bool {
      dimensions.isEmpty && bronze.isEmpty && quarantine.isEmpty && failures.isEmpty
    }
  }

  /// What became of a load.
  private struct Outcome {
    var dimensions: [Result<Int, any Error>] = []
    var bronze: Result<Void, any Error> = .success(())
    var quarantine: Result<Void, any Error> = .success(())
    var failures: Result<Void, any Error> = .success(())
    /// When the rows were written, in milliseconds since 1970.
    var at: Int64 = 0
  }

  /// Makes the ledger's marks agree with the load histories. Returns the SHA-256 of the file that
  /// each dimension's table holds.
  @discardableResult
  func reconcile() async throws -> [String: String] {
    let (staged, quarantined, dimensions, counts) = try await warehouse.withConnection {
      connection in
      let tables = try RawTables(connection, contract: contract.contract)
      return (
        try tables.staging.loadedFiles(pipe: Self.name), try tables.quarantine.loadedPaths(),
        try tables.dimensions.loaded(), try WarehouseCounts(connection)
      )
    }
    try ledger.setGauge(Ledger.warehouseGauge, counts)
    try ledger.setLoaded(exactly: staged.map(\.key), layer: .bronze)
    try ledger.restoreEvents(staged)
    try ledger.setLoaded(exactly: quarantined, layer: .quarantine)
    return dimensions
  }

  /// Loads what goes under one lease; true if nothing was left.
  package func loadSome(_ scope: Scope = .everything) async throws -> Bool {
    let began = Self.now()
    try await ledger.catchUp(with: lake)
    // Whoever committed may have died since, or be slower than the notice of it.
    try await BatchCommitter(lake: lake, ledger: ledger, logger: logger).publishAll()
    var load = Load()
    let queue = try collect(scope, into: &load)
    // What was queued since may be in a commit that the ledger has not read.
    let unknown = queue.unknown.filter { $0.received < began }
    let isDone = load.bronze.isEmpty && load.quarantine.isEmpty && unknown.isEmpty
    for file in unknown {
      try fail(
        file.key, size: file.size ?? 0, received: file.received,
        "is in no commit of this lake: publish it first, or mend the path")
    }
    try await fetch(&load)
    if case .everything = scope { load.dimensions = try await dimensions.changed() }
    load.failures = try ledger.unnotedFailures()
    if !load.isEmpty { try await perform(load, adding: scope) }
    await notifier?.deliver(from: ledger, logger: logger)
    return isDone && load.isEmpty
  }

  // MARK: -

  /// Takes into a load what waits now.
  @discardableResult
  private func collect(_ scope: Scope, into load: inout Load) throws -> Ledger.Queue {
    let queue = try ledger.queue(limit: Self.mostFiles)
    switch scope {
    case .everything:
      load.bronze = Self.together(try ledger.waitingFiles(limit: Self.mostFiles))
      load.quarantine = try ledger.waitingQuarantine(limit: Self.mostFiles)
      if load.quarantine.removed.isEmpty {
        load.quarantine.added = Self.together(load.quarantine.added)
      }
    case .queue: load.bronze = Self.together(queue.waiting)
    }
    return queue
  }

  /// As many of the files, from the first on, as go into one transaction.
  private static func together(_ files: [Ledger.Waiting]) -> [Ledger.Waiting] {
    var bytes: Int64 = 0
    return Array(
      files.prefix { waiting in
        defer { bytes += waiting.file.size }
        return bytes == 0 || bytes + waiting.file.size <= mostBytes
      })
  }

  /// Has the files on this host whose bytes are those of their commits; the others are parked.
  private func fetch(_ load: inout Load) async throws {
    let files = (load.bronze + load.quarantine.added).filter { load.local[$0.file.key] == nil }
    let found = try await Concurrently.map(files, atOnce: lake.store.concurrency) {
      try await lake.localFile($0.file.key)
    }
    for (waiting, found) in zip(files, found) {
      switch found?.sha256 {
      case waiting.file.sha256: load.local[waiting.file.key] = found?.file
      case nil: try park(waiting, "is not in its place")
      default: try park(waiting, "is not what commit \(waiting.commit) made")
      }
    }
    let local = load.local
    load.bronze.removeAll { local[$0.file.key] == nil }
    load.quarantine.added.removeAll { local[$0.file.key] == nil }
  }

  private func park(_ waiting: Ledger.Waiting, _ reason: String) throws {
    logger.error(
      "a file is parked", metadata: ["key": "\(waiting.file.key)", "reason": "\(reason)"])
    try ledger.park(
      ObjectInfo(key: waiting.file.key, sizeBytes: waiting.file.size, modifiedNanos: 0),
      stage: "pipe", reason: reason)
    if waiting.layer == .bronze {
      try fail(
        waiting.file.key, size: waiting.file.size, received: waiting.received, reason)
    }
  }

  /// Notes that a bronze file was not loaded, for reports, history and whoever is notified.
  private func fail(_ key: ObjectKey, size: Int64, received: Int64, _ reason: String) throws {
    let at = Self.now()
    try ledger.recordFailed(
      key, received: received, at: at, size: size, error: reason,
      notification: notifier?.notification(
        of: key, error: reason, stage: EmbeddedPipe.stageLocation(lake), at: at))
  }

  /// In milliseconds since 1970.
  static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

  /// - Parameter scope: what is added once it is our turn; nothing if nil.
  private func perform(_ load: Load, adding scope: Scope? = nil) async throws {
    var load = load
    var report = Report()
    let outcome = try await warehouse.withTurn { turn in
      if let scope {
        // A refresh may have had the warehouse for a second: what came meanwhile goes with the rest.
        try collect(scope, into: &load)
        try await fetch(&load)
      }
      return try await turn.withConnection { connection in
        let outcome = write(load, to: try RawTables(connection, contract: contract.contract))
        let counts = try WarehouseCounts(connection)
        // Before the warehouse is let go, so that no later counts are overwritten, and together
        // with what was loaded, so that the two agree at any moment.
        if case .success = outcome.bronze, !load.bronze.isEmpty {
          try ledger.recordLoaded(load.bronze, at: outcome.at, counts: counts)
          report.rows = load.bronze.map(\.file.rows).reduce(0, +)
        } else {
          try ledger.setGauge(Ledger.warehouseGauge, counts)
        }
        return outcome
      }
    }
    // First what succeeded, then what did not: that may end in an error.
    if case .success = outcome.quarantine, !load.quarantine.isEmpty {
      try ledger.markRemoved(load.quarantine.removed.map(\.file.key.text))
      try ledger.markLoaded(load.quarantine.added.map(\.file.key.text))
      report.quarantined = load.quarantine.added.map(\.file.rows).reduce(0, +)
    }
    if case .success = outcome.failures { try ledger.markNoted(load.failures) }
    for (copy, result) in zip(load.dimensions, outcome.dimensions) {
      if case .success = result { report.dimensions += 1 }
      try dimensions.note(copy, result)
    }
    logger.info(
      "loaded",
      metadata: [
        "files": "\(load.bronze.count)", "rows": "\(report.rows)",
        "batches": "\(Self.batches(load.bronze))",
        "quarantined": "\(report.quarantined)",
      ])
    loaded(report)
    if case .failure(let error) = outcome.failures { throw error }
    if case .failure(let error) = outcome.bronze { try await blameBronze(load, error) }
    if case .failure(let error) = outcome.quarantine { try await blameQuarantine(load, error) }
  }

  /// The batches that files are of, by which their rows are followed from stage to stage.
  private static func batches(_ files: [Ledger.Waiting]) -> String {
    var batches: [Substring] = []
    for file in files {
      let batch = LakeLayout.batch(ofBronzeFile: file.file.key)
      if batches.last != batch { batches.append(batch) }
    }
    let shown = batches.prefix(20).joined(separator: ",")
    return batches.count > 20 ? "\(shown),… (\(batches.count))" : shown
  }

  private func write(_ load: Load, to tables: RawTables) -> Outcome {
    var outcome = Outcome()
    for copy in load.dimensions {
      CrashPoint.beforeDimensionLoad.reach()
      outcome.dimensions.append(
        Result {
          try tables.dimensions.replace(
            copy.dimension, with: copy.path, header: copy.header, sha256: copy.sha256)
        })
      CrashPoint.afterDimensionLoad.reach()
    }
    if !load.bronze.isEmpty {
      CrashPoint.beforeLoad.reach()
      outcome.at = Self.now()
      outcome.bronze = Result {
        try tables.staging.load(
          load.bronze.map { published($0, load) }, pipe: Self.name, loadedAt: outcome.at)
      }
      CrashPoint.afterLoad.reach()
    }
    if !load.quarantine.isEmpty {
      CrashPoint.beforeQuarantineLoad.reach()
      outcome.quarantine = Result {
        try tables.quarantine.load(
          load.quarantine.added.map { published($0, load) },
          removing: load.quarantine.removed.map(\.file.key))
      }
      CrashPoint.afterQuarantineLoad.reach()
    }
    if !load.failures.isEmpty {
      outcome.failures = Result { try tables.copyHistory.add(load.failures, pipe: Self.name) }
    }
    return outcome
  }

  private func published(_ waiting: Ledger.Waiting, _ load: Load) -> PublishedFile {
    PublishedFile(
      file: waiting.file, commit: waiting.commit, path: load.local[waiting.file.key]?.path ?? "",
      received: waiting.received)
  }

  /// Loads files one by one where together they failed, to find the one at fault.
  private func blameBronze(_ load: Load, _ error: any Error) async throws {
    if let failure = error as? any OutageError, failure.isOutage { throw failure }
    // Whatever went wrong, the history tells what was loaded.
    try await reconcile()
    let waiting = Set(try ledger.waitingFiles(limit: .max).map(\.file.key))
    let left = load.bronze.filter { waiting.contains($0.file.key) }
    guard left.count == 1 else {
      for file in left { try await perform(Load(bronze: [file], local: load.local)) }
      return
    }
    try countTry(left[0], error)
  }

  /// Finds the files at fault by reading each: what a redrive changed must not be loaded in parts.
  private func blameQuarantine(_ load: Load, _ error: any Error) async throws {
    if let failure = error as? any OutageError, failure.isOutage { throw failure }
    try await reconcile()
    let waiting = try ledger.waitingQuarantine(limit: .max)
    let keys = Set(waiting.added.map(\.file.key))
    let left = load.quarantine.added.filter { keys.contains($0.file.key) }
    if left.isEmpty {
      // It was loaded after all; or there is no file that could be at fault.
      if waiting.removed.isEmpty { return } else { throw error }
    }
    let broken = try await warehouse.withConnection { connection in
      let table = try QuarantineTable(connection)
      return left.filter { !table.canLoad(published($0, load)) }
    }
    for file in broken.isEmpty ? left : broken { try countTry(file, error) }
  }

  private func countTry(_ waiting: Ledger.Waiting, _ error: any Error) throws {
    let count = try ledger.recordTry(
      waiting.file.key, stage: "pipe", reason: String(describing: error))
    if count >= Self.mostTries {
      try park(waiting, "cannot be loaded: \(error)")
    }
  }
}
