import CrashPoint
import DuckDB
public import Flow
import Foundation
public import Lake
public import Ledger
public import Logging
import ObjectStore
import ServiceLifecycle
public import Warehouse

/// Staging → silver → gold: runs dbt over what was loaded, then publishes gold.
///
/// Every model of a run reads one window of `_load_seq`, which moves on only when all of them
/// succeeded. The live models have a window of their own, so that they can be refreshed by themselves
/// each second. A run that fails leaves the last good gold where it is.
public struct TransformStage: Sendable {
  /// How long a refresh may go on once the process is told to end: whoever pressed Ctrl-C wants it
  /// to, and a cold first run can take long.
  private static let shutdownPatience = Duration.seconds(4)

  private let lake: Lake
  private let ledger: Ledger
  private let warehouse: Warehouse
  private let project: DbtProject
  private let logger: Logger
  private let transformed: @Sendable (TransformReport) -> Void

  /// - Parameter transformed: called after each refresh, failed ones too.
  public init(
    lake: Lake, ledger: Ledger, warehouse: Warehouse, project: DbtProject, logger: Logger,
    transformed: @escaping @Sendable (TransformReport) -> Void = { _ in }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.warehouse = warehouse
    self.project = project
    self.logger = logger
    self.transformed = transformed
  }

  /// One dbt run, or build, and the publication of gold.
  public func runOnce(_ request: DbtRequest) async throws -> TransformReport {
    try await DbtWorker.withSession(project, warehouse: warehouse) { session in
      try await refresh(request, session)
    }
  }

  /// Refreshes after each load, until a graceful shutdown, or until `upstream` has finished and
  /// everything is transformed and tested.
  ///
  /// A load refreshes the live models, and now and then, first of all, the whole graph. A run that
  /// fails is reported, and tried again with the next load; a worker that dies is replaced.
  ///
  /// - Parameters:
  ///   - interval: least time from the start of one refresh to the next.
  ///   - wholeInterval: least time from the start of one refresh of the whole graph to the next.
  public func run(
    upstream: Signal, interval: Duration = .seconds(1), wholeInterval: Duration = .seconds(60)
  ) async throws {
    let (moments, alarm) = AsyncStream.makeStream(
      of: ContinuousClock.Instant.self, bufferingPolicy: .bufferingNewest(1))
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          // What the live models have seen is owed to the others, also if nothing more is loaded.
          for await moment in moments {
            try? await Task.sleep(until: moment, clock: .continuous)
            upstream.raise()
          }
        }
        defer {
          alarm.finish()
          group.cancelAll()
        }
        try await refreshAll(
          upstream, interval: interval, schedule: RefreshSchedule(wholeInterval: wholeInterval)
        ) { alarm.yield($0) }
      }
    } onGracefulShutdown: {
      upstream.finish()
    }
  }

  // MARK: -

  /// - Parameter wake: has `upstream` raised at a moment.
  private func refreshAll(
    _ upstream: Signal, interval: Duration, schedule: RefreshSchedule,
    wake: (ContinuousClock.Instant) -> Void
  ) async throws {
    var schedule = schedule
    var lastWake: ContinuousClock.Instant?
    var isPending = try await ledger.waitOut(stage: "transform", logger: logger) {
      try await hasRows()
    }
    var failures = 0
    var isDraining = false
    var request = DbtRequest(.run)
    while true {
      do {
        try await DbtWorker.withSession(
          project, warehouse: warehouse, patience: Self.shutdownPatience
        ) { session in
          func refresh() async throws {
            isPending = true
            let scope = schedule.begin(at: .now)
            request = DbtRequest(.run, select: scope == .live ? ["tag:live"] : [])
            isPending = try await !refreshLogging(request, session)
            if !isPending { schedule.succeeded(scope) }
            if let due = schedule.wholeIsDue, due != lastWake {
              lastWake = due
              wake(due)
            }
          }
          // What an earlier process loaded and did not transform, or published and not switched.
          if isPending { try await refresh() }
          for await _ in upstream.wakes {
            if Task.isShuttingDownGracefully { break }
            let began = ContinuousClock.now
            try await refresh()
            failures = 0
            let rest = interval - (ContinuousClock.now - began)
            if rest > .zero {
              try? await cancelWhenGracefulShutdown { try await Task.sleep(for: rest) }
            }
          }
          if !Task.isShuttingDownGracefully {
            isDraining = true
            request = DbtRequest(.build)
            _ = try await refreshLogging(request, session)
          }
        }
        return
      } catch let failure as TransformError
        where failure.code == .workerLost && Task.isShuttingDownGracefully
      {
        // What it was at, the next start takes up.
        logger.info("dbt was ended in the middle of a run")
        return
      } catch let failure as TransformError where failure.code == .workerLost {
        failures += 1
        logger.error("the dbt worker is lost", metadata: ["reason": "\(failure)"])
        try? note(failure: failure.message, of: request)
        if isDraining && failures > 3 { throw failure }
        let pause = Duration.seconds(min(60, 1 << min(failures, 6)))
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
      }
    }
  }

  /// Whether there is anything to transform. What an earlier process left undone is not asked of
  /// the ledger, which may be older than the warehouse: a refresh of nothing new is cheap.
  private func hasRows() async throws -> Bool {
    try await warehouse.withConnection { connection in
      let counts = try WarehouseCounts(connection)
      try ledger.setGauge(Ledger.warehouseGauge, counts)
      return counts.stagingRows > 0
    }
  }

  /// A refresh whose failure the pipeline survives.
  ///
  /// Returns whether it went through.
  private func refreshLogging(
    _ request: DbtRequest, _ session: DbtWorker.Session
  ) async throws -> Bool {
    do {
      _ = try await refresh(request, session)
      return true
    } catch let failure as TransformError where failure.code == .failed {
      logger.error("dbt failed", metadata: ["reason": "\(failure)"])
    } catch let failure as TransformError where failure.code == .workerLost {
      throw failure
    } catch let failure where failure is CancellationError || failure is LakeError {
      throw failure
    } catch {
      // The last good gold stays; the next refresh publishes again.
      logger.error("gold could not be published", metadata: ["reason": "\(error)"])
      // On a full disk not even this may be noted.
      try? note(failure: "gold could not be published: \(error)", of: request)
    }
    return false
  }

  private func refresh(
    _ request: DbtRequest, _ session: DbtWorker.Session
  ) async throws -> TransformReport {
    let refresh = BatchID()
    let kept = try await publishedTables(for: request)
    let (reply, counts, export) = try await warehouse.withTurn { turn in
      CrashPoint.beforeDbtRun.reach()
      let reply = try await session.request(request)
      CrashPoint.afterDbtRun.reach()
      // Only what succeeded as a whole is worth publishing.
      let (counts, export) = try await turn.withConnection { connection in
        let export =
          reply.ok
          ? try GoldSnapshot.export(
            connection, to: "\(project.scratch)/gold", refresh: refresh, keeping: kept) : nil
        let counts = try WarehouseCounts(connection)
        // Before the warehouse is let go, so that no later counts are overwritten.
        try ledger.setGauge(Ledger.warehouseGauge, counts)
        return (counts, export)
      }
      return (reply, counts, export)
    }
    if let export { try await publish(export, refresh) }
    logger.info(
      "refreshed",
      metadata: [
        "refresh": "\(refresh)", "ok": "\(reply.ok)", "silver_rows": "\(counts.silverRows)",
        "rows_taken_in": "\(counts.transformedRows)",
        "models": "\(request.select.isEmpty ? "all" : request.select.joined(separator: ","))",
      ])
    let report = TransformReport(
      at: Timestamp.text(Date()), ok: reply.ok, command: request.command.rawValue,
      elapsedSeconds: reply.elapsedSeconds, failure: reply.failure,
      nodes: reply.statuses, counts: counts)
    try note(report, of: request)
    if let failure = reply.failure { throw TransformError(.failed, "dbt failed: \(failure)") }
    return report
  }

  private func publish(_ export: GoldSnapshot.Export, _ refresh: BatchID) async throws {
    // What a killed process, or a full disk, left in tmp/ when it was this far.
    if let begun = try ledger.gauge(Ledger.begunGoldGauge, as: BatchID.self),
      try begun != ledger.gauge(Ledger.publishedGoldGauge, as: BatchID.self)
    {
      do {
        try await GoldSnapshot.removeWork(of: begun, in: lake)
      } catch let failure as ObjectStoreError {
        // It goes once it is a day old, as what any other left.
        logger.warning("work stays in tmp/", metadata: ["of": "\(begun)", "reason": "\(failure)"])
      }
    }
    try ledger.setGauge(Ledger.begunGoldGauge, refresh)
    _ = try await GoldSnapshot.publish(export, in: lake)
    try ledger.setGauge(Ledger.publishedGoldGauge, refresh)
  }

  /// What need not be published again if it still holds the same. A refresh of the whole graph
  /// publishes everything anew, whatever became of the files that are there.
  private func publishedTables(
    for request: DbtRequest
  ) async throws -> [String: GoldSnapshot.Table] {
    if request.select.isEmpty { return [:] }
    // One that cannot be read names nothing that could be kept.
    let current = try? await GoldSnapshot.current(in: lake)
    return try await current?.presentTables(in: lake) ?? [:]
  }

  private func note(failure: String, of request: DbtRequest) throws {
    let counts = try ledger.gauge(Ledger.warehouseGauge, as: WarehouseCounts.self)
    let report = TransformReport(
      at: Timestamp.text(Date()), ok: false, command: request.command.rawValue, elapsedSeconds: 0,
      failure: failure, nodes: [:], counts: counts ?? WarehouseCounts())
    try note(report, of: request)
  }

  private func note(_ report: TransformReport, of request: DbtRequest) throws {
    let before = try TransformReport.last(in: ledger)?.counts.newestGoldMicros
    try report.note(in: ledger, isWhole: request.select.isEmpty)
    if report.ok {
      var times: [(Timing.Name, seconds: Double)] = [(.refresh, report.elapsedSeconds)]
      // A refresh that brought nothing newer says nothing of the pace.
      if let newest = report.counts.newestGoldMicros, newest != before {
        times.append((.freshness, Date().timeIntervalSince1970 - Double(newest) / 1e6))
      }
      try ledger.observe(times)
    } else {
      try ledger.count(.failedRefreshes)
    }
    transformed(report)
  }
}
