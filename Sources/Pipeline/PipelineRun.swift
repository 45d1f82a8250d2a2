public import Bronze
import Flow
import Foundation
import Lake
import Ledger
public import Logging
import ObjectStore
public import ServiceLifecycle
public import Simulator
public import Snowpipe
import Synchronization
import Transform
import Warehouse

/// The whole pipeline in one process: simulator, bronze, pipe and dbt beside each other, each woken
/// by what the one before it has done.
public final class PipelineRun: Service {
  public struct Options: Sendable {
    /// What is simulated. It ends after its number of events, once they are in gold.
    public var simulator: SimulatorRequest
    /// Ends after so long, once everything is in gold.
    public var duration: Duration?

    /// How bronze is written.
    public var encodings: BronzeEncodings

    /// Who is told of files that cannot be loaded.
    public var notifier: ErrorNotifier?

    public init(
      simulator: SimulatorRequest, duration: Duration? = nil,
      encodings: BronzeEncodings = .version1, notifier: ErrorNotifier? = nil
    ) {
      self.simulator = simulator
      self.duration = duration
      self.encodings = encodings
      self.notifier = notifier
    }
  }

  /// Raw bytes that bronze may be behind.
  private static let rawBacklogBytes = 64 << 20
  /// Bronze files that the pipe may be behind.
  private static let loadBacklogFiles = 200

  public let meter = RunMeter()
  private let workspace: Workspace
  private let options: Options
  private let logger: Logger
  private let locks: [StageLock]
  private let project: DbtProject

  /// Takes the stages of the lake; throws `LakeError.stageBusy` if another process has one.
  public init(_ workspace: Workspace, options: Options, logger: Logger) throws {
    self.workspace = workspace
    self.options = options
    self.logger = logger
    locks = try ["bronze", "ingest", "transform"].map {
      try StageLock($0, state: workspace.state)
    }
    project = try workspace.dbtProject()
  }

  public func run() async throws {
    let began = Date().timeIntervalSince1970
    let made = Signal()
    let committed = Signal()
    let staged = Signal()
    let rawBacklog = Backlog(limit: Self.rawBacklogBytes)
    let loadBacklog = Backlog(limit: Self.loadBacklogFiles)
    let meter = meter
    let lake = workspace.lake
    let ledger = workspace.ledger

    let simulator = SimulatorService(
      store: lake.store, request: options.simulator, backlog: rawBacklog, logger: logger
    ) { _, events in
      meter.update {
        $0.objects += 1
        $0.events += events
      }
    }
    let bronze = BronzeStage(
      lake: lake, ledger: ledger, contract: workspace.contract, logger: logger,
      encodings: options.encodings
    ) { report in
      rawBacklog.remove(report.commit.sources.map { Int($0.size) }.reduce(0, +))
      committed.raise()
      meter.update {
        $0.bronzeRows += report.commit.counts.accepted
        $0.quarantined += report.commit.counts.quarantinedTotal
        $0.blank += report.commit.counts.blank
      }
    }
    let pipe = PipeStage(
      lake: lake, ledger: ledger, warehouse: workspace.warehouse, contract: workspace.contract,
      logger: logger, notifier: options.notifier
    ) { report in meter.update { $0.stagingRows += report.rows } }
    let transform = TransformStage(
      lake: lake, ledger: ledger, warehouse: workspace.warehouse, project: project, logger: logger
    ) { report in
      meter.update { reading in
        reading.refreshes += 1
        guard report.ok else {
          reading.failedRefreshes += 1
          return
        }
        reading.silverRows = report.counts.silverRows
        reading.goldRevenue = report.counts.goldRevenue
        let known = reading.newestGoldMicros
        reading.newestGoldMicros = report.counts.newestGoldMicros
        // A refresh that brought nothing newer says nothing of the pace, nor does what an earlier
        // run left.
        if let micros = report.counts.newestGoldMicros, micros != known {
          let newest = Double(micros) / 1e6
          if newest >= began { reading.freshness.append(Date().timeIntervalSince1970 - newest) }
        }
      }
    }

    let deadline = options.duration.map { ContinuousClock.now + $0 }
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        let blocking = BlockingExecutor.shared
        group.addTask(executorPreference: blocking) {
          defer { made.finish() }
          _ = try await simulator.run(until: deadline)
        }
        group.addTask(executorPreference: blocking) {
          let pace = BronzeFollower.Pace(rawBacklog: rawBacklog, loadBacklog: loadBacklog)
          try await endingQuietly {
            try await BronzeFollower(stage: bronze, pace: pace, committed: committed)
              .run(upstream: made)
          }
        }
        group.addTask(executorPreference: blocking) {
          try await endingQuietly {
            try await pipe.run(upstream: committed, waiting: loadBacklog, staged: staged)
          }
        }
        group.addTask(executorPreference: blocking) {
          try await endingQuietly { try await transform.run(upstream: staged) }
        }
        // Not waitForAll, which waits for the others before it tells that one has failed.
        while try await group.next() != nil {}
      }
    } onGracefulShutdown: {
      // Whoever waits for room need not: the others stop taking.
      rawBacklog.close()
      loadBacklog.close()
    }
  }
}

/// Runs a stage; that it was waiting for something when it was told to end is no failure, and must
/// not cut the other stages short.
private func endingQuietly(_ stage: () async throws -> Void) async throws {
  do {
    try await stage()
  } catch is CancellationError where Task.isShuttingDownGracefully {
    return
  }
}

extension ProductCatalogue {
  /// What a world sells, read from the project's `contract` folder.
  ///
  /// Throws `SimulatorError.invalidCatalogue`, which names the file, if it cannot be read.
  public init(of world: World.Name, in home: Home) throws {
    let path =
      switch world {
      case .plain: home.products
      case .retail: home.retailProducts
      }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SimulatorError(.invalidCatalogue, "there is no product catalogue at \(path)")
    }
    do {
      try self.init(csv: String(decoding: data, as: UTF8.self))
    } catch {
      throw SimulatorError(.invalidCatalogue, "\(path): \(error)")
    }
  }
}

extension Workspace {
  /// Where the simulator remembers how far it is.
  public var simulatorState: String { "\(state)/simulator.json" }
}
