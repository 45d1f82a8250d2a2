public import Flow
import Foundation
public import Lake
public import Ledger
public import Logging
import ObjectStore
import ServiceLifecycle
public import Warehouse

/// The lake → the warehouse's schema `raw`: the embedded pipe. Each published file is loaded once, in
/// any order, however often it is announced.
///
/// Run as a stage it loads whatever is published and has no row in the load history; as the service
/// behind `EmbeddedPipe`, what was queued there. A file whose bytes are not
/// those of its commit is parked, not loaded. Bronze files are only ever added; quarantine files
/// leave again when a redrive supersedes them; a dimension's file replaces the one before.
public struct PipeStage: Sendable {
  public static let name = "retail.raw.retail_bronze_pipe"
  /// The stage under which the ledger keeps a dimension file that is parked.
  public static let dimensionStage = "dimension"

  /// After how many faults of its own a file is parked.
  static let mostTries = 3
  /// Files of one load, and their bytes.
  static let mostFiles = 200
  static let mostBytes: Int64 = 256 << 20

  /// What one load brought.
  public struct Report: Sendable, Equatable, CustomStringConvertible {
    /// Rows of staging.
    public var rows = 0
    /// Quarantined lines.
    public var quarantined = 0
    /// Dimensions whose tables were replaced.
    public var dimensions = 0

    public init() {}

    public static func += (sum: inout Report, report: Report) {
      sum.rows += report.rows
      sum.quarantined += report.quarantined
      sum.dimensions += report.dimensions
    }

    public var description: String {
      var text = "\(rows) rows loaded"
      if quarantined > 0 { text += ", \(quarantined) quarantined lines" }
      if dimensions > 0 {
        text += ", \(dimensions) dimension \(dimensions == 1 ? "file" : "files")"
      }
      return text
    }
  }

  let lake: Lake
  let ledger: Ledger
  let warehouse: Warehouse
  let contract: ContractFile
  let logger: Logger
  let dimensions: DimensionFiles
  let notifier: ErrorNotifier?
  let loaded: @Sendable (Report) -> Void

  /// - Parameters:
  ///   - notifier: tells of files that cannot be loaded.
  ///   - loaded: called after each load.
  public init(
    lake: Lake, ledger: Ledger, warehouse: Warehouse, contract: ContractFile, logger: Logger,
    notifier: ErrorNotifier? = nil,
    loaded: @escaping @Sendable (Report) -> Void = { _ in }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.warehouse = warehouse
    self.contract = contract
    self.logger = logger
    self.notifier = notifier
    self.loaded = loaded
    dimensions = DimensionFiles(
      lake: lake, ledger: ledger, scratch: "\(warehouse.path).", logger: logger)
  }

  /// Loads everything that waits and returns.
  ///
  /// Throws `PipeError.paused` if the pipe is paused.
  public func runOnce() async throws {
    if try ledger.isPipePaused() {
      throw PipeError(.paused, "the pipe is paused: 'medallion pipe resume' lets it load")
    }
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
    try await ledger.waitOut(stage: "pipe", logger: logger) { try await begin() }
    let signal = upstream ?? Signal()
    // What waits from before counts as a first wake.
    if upstream == nil { signal.raise() }
    let changes = upstream == nil ? lake.store.changes(LakeLayout.commits) : nil
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        if let changes {
          group.addTask { for await _ in changes { signal.raise() } }
          // Hints may be lost.
          group.addTask { try await signal.raise(every: .seconds(5)) }
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

  /// Loads what was queued, until a graceful shutdown. What goes wrong is logged and tried again.
  ///
  /// - Parameters:
  ///   - queued: raised when something was.
  ///   - exclusively: takes the stage for the time of one load; nil while somebody else has it, who
  ///     then loads what is queued, too.
  public func runQueue(
    _ queued: Signal, exclusively: @escaping @Sendable () throws -> (any Sendable)?
  ) async throws {
    queued.raise()
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await queued.raise(every: .seconds(1)) }
        var hasBegun = false
        var told: String?
        for await _ in queued.wakes {
          if Task.isShuttingDownGracefully { break }
          do {
            try await loadQueue(exclusively, &hasBegun)
            told = nil
          } catch is CancellationError {
            break
          } catch {
            // Once a second would be too often to say the same.
            let reason = String(describing: error)
            if told != reason { logger.error("the queue waits", metadata: ["reason": "\(reason)"]) }
            told = reason
          }
        }
        group.cancelAll()
      }
    } onGracefulShutdown: {
      queued.finish()
    }
  }

  // MARK: -

  /// Files that were parked are looked at again at each start: a person may have mended them.
  private func begin() async throws {
    for parked in try ledger.parked(stages: ["pipe", "publish"]) { try ledger.unpark(parked.key) }
    try await ledger.catchUp(with: lake)
    try await BatchCommitter(lake: lake, ledger: ledger, logger: logger).publishAll()
    try dimensions.begin(loaded: try await reconcile())
  }

  private func loadQueue(
    _ exclusively: () throws -> (any Sendable)?, _ hasBegun: inout Bool
  ) async throws {
    guard try !ledger.isPipePaused(), try ledger.pipeBacklog().queued > 0,
      let lock = try exclusively()
    else { return }
    defer { withExtendedLifetime(lock) {} }
    if !hasBegun {
      try await reconcile()
      hasBegun = true
    }
    var isDone = false
    while !isDone, !Task.isShuttingDownGracefully, try !ledger.isPipePaused() {
      // Whoever needs the stage must not wait for an outage to end.
      isDone = try await ledger.waitOut(limit: .seconds(5), stage: "pipe", logger: logger) {
        try await loadSome(.queue)
      }
    }
  }

  private func loadWaiting(waiting: Backlog? = nil, staged: Signal? = nil) async throws {
    if try ledger.isPipePaused() {
      // Nobody waits for a pipe that does nothing.
      waiting?.set(0)
      return
    }
    let limit: Duration? = staged == nil ? .seconds(30) : nil
    var isDone = false
    while !isDone, !Task.isShuttingDownGracefully, try !ledger.isPipePaused() {
      isDone = try await ledger.waitOut(limit: limit, stage: "pipe", logger: logger) {
        try await loadSome()
      }
      waiting?.set(try ledger.waitingFileCount(published: true))
      if !isDone { staged?.raise() }
    }
  }
}
