import Contract
import CrashPoint
import Flow
import Foundation
public import Lake
public import Ledger
public import Logging
import ObjectStore
import Synchronization

/// Raw → bronze: finds raw objects that nobody consumed, judges their lines, writes the accepted
/// ones as Parquet and the others to quarantine, and commits.
public struct BronzeStage: Sendable {
  /// After how many faults of its own an object is parked.
  static let mostTries = 3

  let lake: Lake
  let ledger: Ledger
  let contract: ContractFile
  let logger: Logger
  let encodings: BronzeEncodings
  private let longestBatch: Duration
  private let report: @Sendable (BronzeReport) -> Void

  /// - Parameters:
  ///   - longestBatch: how long a batch takes up objects: what waits longer is not fresh any more. A
  ///     backlog so makes files of a size that warehouses like, a trickle small ones at once.
  ///   - report: called after each batch with what it did.
  public init(
    lake: Lake, ledger: Ledger, contract: ContractFile, logger: Logger,
    encodings: BronzeEncodings = .version1, longestBatch: Duration = .seconds(15),
    report: @escaping @Sendable (BronzeReport) -> Void = { _ in }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.contract = contract
    self.logger = logger
    self.encodings = encodings
    self.longestBatch = longestBatch
    self.report = report
  }

  var census: RawCensus { RawCensus(lake: lake, ledger: ledger) }

  var committer: BatchCommitter { BatchCommitter(lake: lake, ledger: ledger, logger: logger) }

  /// Finishes what an earlier process left half done. Before anything else.
  public func recover() async throws { try await committer.recover() }

  /// Consumes `waiting`, batch by batch; returns what failed by its own fault and may be tried
  /// again.
  ///
  /// - Parameters:
  ///   - waiting: objects that are whole; those that were consumed before are passed over.
  ///   - shouldStop: asked between batches.
  func consume(_ waiting: [ObjectInfo], shouldStop: () -> Bool) async throws -> [ObjectKey] {
    var rest = try await census.waiting(among: waiting).sorted { $0.key < $1.key }[...]
    var failed: [ObjectKey] = []
    while !rest.isEmpty, !shouldStop() {
      let plan = BatchPlan(firstOf: rest)
      switch try await run(plan) {
      case .committed(let count):
        rest = rest.dropFirst(count)
      case .void:
        rest = try ledger.sort(Array(rest)).new[...]
      case .faults(let faults):
        let faulty = Set(faults.map(\.object.key))
        rest.removeAll { faulty.contains($0.key) }
        for fault in faults where try await !giveUp(fault.object, fault.fault) {
          failed.append(fault.object.key)
        }
      }
    }
    return failed
  }

  // MARK: -

  private enum Outcome {
    /// So many of the plan's first objects.
    case committed(Int)
    /// Others consumed some of the objects meanwhile.
    case void
    /// These objects cannot be read; without them it may work.
    case faults([ObjectFault])
  }

  private func run(_ plan: BatchPlan) async throws -> Outcome {
    let started = ContinuousClock.now
    let batch = BatchID()
    try ledger.beginWork(batch)
    let prepared: Commit
    do {
      prepared = try await write(plan, as: batch)
    } catch {
      // Removed now, or where that fails, by the next start.
      try? await committer.abandon(batch.text)
      guard let faults = error as? ObjectFaults else { throw error }
      return .faults(faults.faults)
    }
    // From here on the work may be committed, even where an error says otherwise: it stays.
    let commit = try await committer.commit(prepared) {
      let consumed = plan.objects.prefix(prepared.sources.count)
      return try ledger.sort(Array(consumed)).new.count < consumed.count
    }
    guard let commit else {
      try await committer.abandon(batch.text)
      return .void
    }
    try await committer.publishAll()
    let elapsed = ContinuousClock.now - started
    let oldest = plan.objects.prefix(prepared.sources.count).map(\.modifiedNanos).min() ?? 0
    try ledger.observe([
      (.bronzeBatch, seconds: elapsed / .seconds(1)),
      (.bronzeLag, seconds: Date().timeIntervalSince1970 - Double(oldest) / 1e9),
    ])
    logger.info(
      "committed",
      metadata: [
        "batch": "\(commit.batch)", "commit": "\(commit.number)",
        "objects": "\(commit.sources.count)", "rows": "\(commit.counts.accepted)",
        "quarantined": "\(commit.counts.quarantinedTotal)",
      ])
    report(BronzeReport(commit: commit, elapsed: elapsed))
    return .committed(prepared.sources.count)
  }

  /// Writes the files of a batch below `tmp/`, and says what their commit has to say.
  private func write(_ plan: BatchPlan, as batch: BatchID) async throws -> Commit {
    let quarantine = QuarantineWriter(batch: batch, store: lake.store)
    CrashPoint.beforeWorkFile.reach()
    let results = try await clean(plan, as: batch, quarantine: quarantine)
    let quarantined = try await quarantine.finish()
    CrashPoint.afterWorkFile.reach()
    let sources = results.flatMap(\.sources).sorted { $0.key < $1.key }
    let counts = results.map(\.counts).reduce(into: LineCounts()) { $0 += $1 }
    return Commit(
      number: 0, kind: .bronze, batch: batch, committedAt: Timestamp.text(Date()),
      contract: contract.sha256, sources: sources, counts: Commit.Counts(counts),
      bronze: results.flatMap(\.files).sorted { $0.key < $1.key }, quarantine: quarantined)
  }

  /// The objects of a batch, shared out among workers as they come free.
  ///
  /// Throws `ObjectFaults` where some cannot be read. From the first of them on the batch is void,
  /// and the objects that are left are only read through: so one more batch does, however many
  /// are faulty.
  private func clean(
    _ plan: BatchPlan, as batch: BatchID, quarantine: QuarantineWriter
  ) async throws -> [BatchWorker.Result] {
    let numbers = FileNumbers()
    let next = FileNumbers()
    let faults = FaultList()
    let end = ContinuousClock.now + longestBatch
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let workers = plan.workerCount(cores: cores)
    let results = try await withThrowingTaskGroup(of: BatchWorker.Result.self) { group in
      for _ in 0..<workers {
        group.addTask {
          let worker = try BatchWorker(
            batch: batch, contract: contract.contract, store: lake.store, quarantine: quarantine,
            fileNumbers: numbers, encodings: encodings, overlaps: workers < cores)
          let reading = ReadAhead(store: lake.store, atOnce: lake.store.concurrency / workers) {
            // Without a gap, so that what is consumed are the plan's first objects.
            let index = next.next(unless: .now > end && faults.isEmpty)
            return index.flatMap { $0 < plan.objects.count ? plan.objects[$0] : nil }
          }
          try await reading.eachObject { object, open in
            do {
              if faults.isEmpty {
                try await worker.clean(object, try open())
              } else {
                try await worker.readThrough(try open())
              }
            } catch let fault as RawObjectFault {
              faults.add(ObjectFault(object: object, fault: fault))
            }
          }
          return faults.isEmpty ? try await worker.finish() : BatchWorker.Result()
        }
      }
      var results: [BatchWorker.Result] = []
      for try await result in group { results.append(result) }
      return results
    }
    if !faults.isEmpty { throw ObjectFaults(faults: faults.all) }
    return results
  }

  /// Counts a fault; true if the object was parked for it.
  private func giveUp(_ object: ObjectInfo, _ fault: RawObjectFault) async throws -> Bool {
    let count = try ledger.recordTry(object.key, stage: "bronze", reason: fault.description)
    logger.warning(
      "a raw object could not be read",
      metadata: ["key": "\(object.key)", "reason": "\(fault)", "try": "\(count)"])
    guard count >= Self.mostTries else { return false }
    try ledger.park(object, stage: "bronze", reason: fault.description)
    return true
  }
}

/// What one batch did.
public struct BronzeReport: Sendable {
  public let commit: Commit
  public let elapsed: Duration
}

/// A fault, and the object whose it is.
struct ObjectFault: Sendable {
  let object: ObjectInfo
  let fault: RawObjectFault
}

/// The faults that the workers of one batch met.
private final class FaultList: Sendable {
  private let faults = Mutex<[ObjectFault]>([])

  var all: [ObjectFault] { faults.withLock { $0 } }
  var isEmpty: Bool { faults.withLock { $0.isEmpty } }

  func add(_ fault: ObjectFault) { faults.withLock { $0.append(fault) } }
}

private struct ObjectFaults: Error {
  let faults: [ObjectFault]
}

extension Commit.Counts {
  init(_ counts: LineCounts) {
    self.init(
      lines: counts.lines, accepted: counts.accepted, blank: counts.blank,
      quarantined: Dictionary(
        uniqueKeysWithValues: counts.quarantined.map { ($0.key.rawValue, $0.value) }),
      rescued: counts.rescued)
  }
}
