public import Ledger

/// What the last refresh of silver and gold did, as the ledger keeps it.
public struct TransformReport: Codable, Sendable {
  /// When it ended, RFC 3339, UTC.
  public let at: String
  public let ok: Bool
  public let command: String
  public let elapsedSeconds: Double
  /// What failed; nil if nothing did.
  public let failure: String?
  /// Nodes that ran, by their status.
  public let nodes: [String: Int]
  /// Silver, gold and staging right after it.
  public let counts: WarehouseCounts

  public init(
    at: String, ok: Bool, command: String, elapsedSeconds: Double, failure: String?,
    nodes: [String: Int], counts: WarehouseCounts
  ) {
    self.at = at
    self.ok = ok
    self.command = command
    self.elapsedSeconds = elapsedSeconds
    self.failure = failure
    self.nodes = nodes
    self.counts = counts
  }

  private static let wholeGauge = "transform"
  private static let partGauge = "transform.part"
  private static let buildGauge = "transform.build"

  /// The newest report, whatever it says; nil before the first.
  public static func last(in ledger: Ledger) throws -> TransformReport? {
    let reports = try [wholeGauge, partGauge].compactMap {
      try ledger.gauge($0, as: TransformReport.self)
    }
    return reports.max { $0.at < $1.at }
  }

  /// The last one that ran tests, too; nil before the first.
  public static func lastBuild(in ledger: Ledger) throws -> TransformReport? {
    try ledger.gauge(buildGauge, as: TransformReport.self)
  }

  /// Keeps this report as that of a refresh of the whole graph, or of a part.
  package func note(in ledger: Ledger, isWhole: Bool) throws {
    try ledger.setGauge(isWhole ? Self.wholeGauge : Self.partGauge, self)
    if command == "build" { try ledger.setGauge(Self.buildGauge, self) }
  }

  /// The report that says how things stand: a failure that nothing has made good since, or else the
  /// last refresh. Nil before the first.
  ///
  /// A refresh of the whole graph makes a failed part good. A part that goes through does not make a
  /// failure of the whole graph good, which may be that of another model.
  public static func standing(in ledger: Ledger) throws -> TransformReport? {
    let whole = try ledger.gauge(wholeGauge, as: TransformReport.self)
    guard let part = try ledger.gauge(partGauge, as: TransformReport.self),
      whole.map({ $0.at < part.at }) ?? true
    else { return whole }
    if let whole, !whole.ok, part.ok { return whole }
    return part
  }
}
