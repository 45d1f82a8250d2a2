import Flow
public import Foundation
public import Lake
public import Ledger
public import Warehouse

/// Looks at a lake again and again: how it stands, how fast it moves, and whether it is well.
public actor Monitor {
  /// Rows a second, over the last seconds.
  public struct Rates: Sendable, Equatable {
    public var rawLines = 0.0
    public var rawBytes = 0.0
    public var quarantined = 0.0
    public var bronzeRows = 0.0
    public var stagingRows = 0.0
    public var silverRows = 0.0
    public var goldTransactions = 0.0
  }

  /// What one look found.
  public struct Reading: Sendable {
    public let status: Status
    public let rates: Rates
    public let health: Health
    public let timings: [Timing.Name: Timing]
    public let tallies: [Tally: Int]
    /// The refresh whose gold is published; nil before the first.
    public let published: BatchID?
  }

  /// How long something may wait before a stage counts as stuck, unless somebody says otherwise.
  public static let patience = Duration.seconds(120)
  private static let rateWindow = Duration.seconds(10)
  /// Least time from one look at raw to the next, and the part of the time that they may take.
  private static let rawLookInterval = Duration.seconds(10)
  private static let rawLookShare = 50

  public let lake: Lake
  let ledger: Ledger
  private let leasePath: String
  private let patience: Duration
  private var samples: [(at: ContinuousClock.Instant, status: Status)] = []
  private var heldSince: ContinuousClock.Instant?
  private var lastCounts: WarehouseCounts?
  private var rawLook: RawLook?

  /// - Parameter patience: how long something may wait before a stage counts as stuck.
  public init(
    lake: Lake, ledger: Ledger, warehouse: Warehouse, patience: Duration = Monitor.patience
  ) {
    self.lake = lake
    self.ledger = ledger
    leasePath = warehouse.leasePath
    self.patience = patience
  }

  public func read(now: Date = Date()) async throws -> Reading {
    try await ledger.catchUp(with: lake)
    let ledger = try self.ledger.snapshot()
    let status = try Status(
      lake: lake, ledger: ledger, waiting: try await rawWaiting(ledger, now), now: now)
    let published = try ledger.gauge(Ledger.publishedGoldGauge, as: BatchID.self)
    let timings = try Timing.Name.allCases.map { ($0, try ledger.timing($0)) }
    let tallies = try Tally.allCases.map { ($0, try ledger.tally($0)) }
    let health = try Health(
      status, ledger, patience: patience, warehouseHeld: try warehouseHeld(ledger),
      isGoldPublished: published != nil, now: now)
    return Reading(
      status: status, rates: rates(status), health: health,
      timings: Dictionary(uniqueKeysWithValues: timings),
      tallies: Dictionary(uniqueKeysWithValues: tallies), published: published)
  }

  // MARK: -

  /// What waits in raw, by bronze's word where it is at work, else by a look of our own.
  private func rawWaiting(_ ledger: Ledger, _ now: Date) async throws -> Ledger.RawWaiting {
    if try ledger.isRawWatched(at: now) { return try ledger.rawWaiting() }
    let state = try ledger.rawState()
    let began = ContinuousClock.now
    if let look = rawLook, began < (state == look.state ? look.stands : look.rests) {
      return look.waiting
    }
    let waiting = try await ledger.lookAtRaw(in: lake)
    let ended = ContinuousClock.now
    rawLook = RawLook(
      waiting: waiting, state: state, rests: ended + (ended - began) * 5,
      stands: ended + max(Self.rawLookInterval, (ended - began) * Self.rawLookShare))
    return waiting
  }

  private struct RawLook {
    let waiting: Ledger.RawWaiting
    /// What the ledger said of raw at the time; once it says something else, the look is old.
    let state: [Double]
    /// Until when the next one waits even so.
    let rests: ContinuousClock.Instant
    let stands: ContinuousClock.Instant
  }

  private func rates(_ status: Status) -> Rates {
    let now = ContinuousClock.now
    // One sample that is older than the window is kept, to measure from.
    while samples.count > 1, now - samples[1].at > Self.rateWindow { samples.removeFirst() }
    samples.append((now, status))
    let first = samples[0]
    let seconds = (now - first.at) / .seconds(1)
    func rate(_ count: (Status) -> Int) -> Double {
      // A redrive takes lines out of quarantine.
      seconds > 0 ? max(0, Double(count(status) - count(first.status)) / seconds) : 0
    }
    return Rates(
      rawLines: rate { $0.raw.lines }, rawBytes: rate { $0.raw.bytes },
      quarantined: rate { $0.quarantine.lines }, bronzeRows: rate { $0.bronze.rows },
      stagingRows: rate { $0.staging.rows }, silverRows: rate { $0.silver.rows },
      goldTransactions: rate { $0.gold.transactions })
  }

  /// For how long the warehouse has been held without anybody leaving word in the ledger, which
  /// whoever leaves it does.
  private func warehouseHeld(_ ledger: Ledger) throws -> Duration {
    let counts = try ledger.gauge(Ledger.warehouseGauge, as: WarehouseCounts.self)
    defer { lastCounts = counts }
    // Who asks for the lease tries again within moments, so looking does nobody harm.
    guard FileManager.default.fileExists(atPath: leasePath),
      try FileLock.tryAcquire(leasePath) == nil, counts == lastCounts || heldSince == nil
    else {
      heldSince = nil
      return .zero
    }
    let since = heldSince ?? .now
    heldSince = since
    return .now - since
  }
}
