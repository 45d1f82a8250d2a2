public import Foundation
public import Lake
public import Ledger
import ObjectStore
import SnowpipeREST
import Warehouse

/// What a lake holds and what waits, as `medallion status` and the dashboard tell it.
///
/// Read from the ledger as it was at one moment, and from raw where no bronze is at work: it never
/// waits for the warehouse. The JSON form is stable.
public struct Status: Codable, Sendable {
  public struct Raw: Codable, Sendable {
    /// Objects that were consumed.
    public let objects: Int
    public let lines: Int
    public let bytes: Int
    /// Objects under `raw/` that are no raw objects, by the last full listing.
    public let ignored: Int
    /// Objects whose content changed after they were consumed.
    public let changed: Int
    /// Objects that have yet to be consumed.
    public let waiting: Int
    /// For how long the one that waits longest has waited; nil if none does.
    public let lagSeconds: Double?

    enum CodingKeys: String, CodingKey {
      case objects, lines, bytes, ignored, changed, waiting
      case lagSeconds = "lag_seconds"
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(objects, forKey: .objects)
      try container.encode(lines, forKey: .lines)
      try container.encode(bytes, forKey: .bytes)
      try container.encode(ignored, forKey: .ignored)
      try container.encode(changed, forKey: .changed)
      try container.encode(waiting, forKey: .waiting)
      try container.encode(lagSeconds, forKey: .lagSeconds)
    }
  }

  public struct Bronze: Codable, Sendable {
    public let files: Int
    public let rows: Int
    /// Files by their size.
    public let fileSizes: Ledger.FileSizes
    /// Members that did not fit their field, or fit none, by name.
    public let rescued: [String: Int]

    enum CodingKeys: String, CodingKey {
      case files, rows, rescued
      case fileSizes = "file_sizes"
    }
  }

  public struct Quarantine: Codable, Sendable {
    public let lines: Int
    public let reasons: [String: Int]
    /// Committed quarantine files that the warehouse has yet to take in, or to give up.
    public let pending: Int
  }

  public struct Lines: Codable, Sendable {
    public let lines: Int
  }

  public struct Staging: Codable, Sendable {
    public let rows: Int
    /// Those that silver has not taken in.
    public let waiting: Int
  }

  public struct Silver: Codable, Sendable {
    public let rows: Int
    public let duplicates: Int
    public let conflicts: Int
  }

  public struct Gold: Codable, Sendable {
    /// With two decimals.
    public let revenue: String
    public let transactions: Int
  }

  public struct Pipe: Codable, Sendable {
    /// RUNNING or PAUSED.
    public let state: String
    /// Committed bronze files that are not loaded.
    public let pending: Int
    /// For how long the one that waits longest has waited; nil if none does.
    public let lagSeconds: Double?

    public var isPaused: Bool { state == PipeStatus.paused }

    enum CodingKeys: String, CodingKey {
      case state, pending
      case lagSeconds = "lag_seconds"
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(state, forKey: .state)
      try container.encode(pending, forKey: .pending)
      try container.encode(lagSeconds, forKey: .lagSeconds)
    }
  }

  public struct Dbt: Codable, Sendable {
    public let ok: Bool
    public let at: String
    public let failure: String?
    public let elapsedSeconds: Double
    /// What ran, by how it ended: models, seeds and, after a build, tests.
    public let nodes: [String: Int]

    enum CodingKeys: String, CodingKey {
      case ok, at, failure, nodes
      case elapsedSeconds = "elapsed_seconds"
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(ok, forKey: .ok)
      try container.encode(at, forKey: .at)
      try container.encode(failure, forKey: .failure)
      try container.encode(nodes, forKey: .nodes)
      try container.encode(elapsedSeconds, forKey: .elapsedSeconds)
    }
  }

  public let lake: String
  public let commits: Int
  public let raw: Raw
  public let bronze: Bronze
  public let quarantine: Quarantine
  public let blank: Lines
  /// Objects and files that wait for a person.
  public let parked: Int
  public let staging: Staging
  public let silver: Silver
  public let gold: Gold
  public let pipe: Pipe
  /// A refresh of silver and gold whose failure still stands, or else the last; nil before the first.
  public let dbt: Dbt?
  /// Age of the newest event in gold; nil if gold is empty.
  public let freshnessSeconds: Double?
  /// The equation of completeness, by what the ledger knows.
  public let balance: Balance
  /// What is parked or changed, and why.
  public let troubles: [Ledger.Trouble]

  enum CodingKeys: String, CodingKey {
    case lake, commits, raw, bronze, quarantine, blank, parked, staging, silver, gold, pipe, dbt
    case balance, troubles
    case freshnessSeconds = "freshness_seconds"
  }

  /// - Parameters:
  ///   - ledger: a snapshot, so that everything is of one moment.
  ///   - waiting: what waits in raw.
  public init(
    lake: Lake, ledger: Ledger, waiting: Ledger.RawWaiting, now: Date = Date()
  ) throws {
    let totals = try ledger.totals()
    let counts =
      try ledger.gauge(Ledger.warehouseGauge, as: WarehouseCounts.self) ?? WarehouseCounts()
    let troubles = try ledger.troubles()
    func total(_ name: String) -> Int { totals[name] ?? 0 }
    func named(_ prefix: String) -> [String: Int] {
      var values: [String: Int] = [:]
      for (name, value) in totals where name.hasPrefix(prefix) && value != 0 {
        values[String(name.dropFirst(prefix.count))] = value
      }
      return values
    }
    let reasons = named("quarantined.")
    self.lake = lake.store.location
    commits = try ledger.lastCommit()
    raw = Raw(
      objects: total("raw.objects"), lines: total("raw.lines"), bytes: total("raw.bytes"),
      ignored: try ledger.gauge("raw.ignored", as: Int.self) ?? 0, changed: troubles.changed.count,
      waiting: waiting.objects,
      lagSeconds: waiting.oldestNanos.map { max(0, Self.age(ofMicros: $0 / 1000, now)) })
    bronze = Bronze(
      files: total("bronze.files"), rows: total("bronze.rows"),
      fileSizes: Ledger.FileSizes(totals), rescued: named("rescued."))
    quarantine = Quarantine(
      lines: reasons.values.reduce(0, +), reasons: reasons,
      pending: try ledger.waitingFileCount(.quarantine))
    blank = Lines(lines: total("blank"))
    parked = troubles.parked.count
    staging = Staging(
      rows: counts.stagingRows, waiting: max(0, counts.stagingRows - counts.transformedRows))
    silver = Silver(
      rows: counts.silverRows, duplicates: counts.duplicates, conflicts: counts.conflicts)
    gold = Gold(revenue: counts.goldRevenue, transactions: counts.goldTransactions)
    let backlog = try ledger.pipeBacklog()
    pipe = Pipe(
      state: try ledger.isPipePaused() ? PipeStatus.paused : PipeStatus.running,
      pending: try ledger.waitingFileCount(),
      lagSeconds: backlog.oldestReceived.map { Self.age(ofMicros: $0 * 1000, now) })
    dbt = try TransformReport.standing(in: ledger).map {
      Dbt(
        ok: $0.ok, at: $0.at, failure: $0.failure, elapsedSeconds: $0.elapsedSeconds,
        nodes: $0.nodes)
    }
    freshnessSeconds = counts.newestGoldMicros.map { Self.age(ofMicros: Int64($0), now) }
    balance = Balance(totals: totals, waitingRows: try ledger.waitingRows(), counts, troubles)
    self.troubles = troubles.parked + troubles.changed
  }

  private static func age(ofMicros micros: Int64, _ now: Date) -> Double {
    ((now.timeIntervalSince1970 - Double(micros) / 1e6) * 1000).rounded() / 1000
  }

  // Written out, here and above, so that what there is none of is null, and not absent.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(lake, forKey: .lake)
    try container.encode(commits, forKey: .commits)
    try container.encode(raw, forKey: .raw)
    try container.encode(bronze, forKey: .bronze)
    try container.encode(quarantine, forKey: .quarantine)
    try container.encode(blank, forKey: .blank)
    try container.encode(parked, forKey: .parked)
    try container.encode(staging, forKey: .staging)
    try container.encode(silver, forKey: .silver)
    try container.encode(gold, forKey: .gold)
    try container.encode(pipe, forKey: .pipe)
    try container.encode(dbt, forKey: .dbt)
    try container.encode(freshnessSeconds, forKey: .freshnessSeconds)
    try container.encode(balance, forKey: .balance)
    try container.encode(troubles, forKey: .troubles)
  }
}
