public import Ledger
public import Warehouse

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

  private static let wholeGauge = "transform"
  private static let partGauge = "transform.part"

  /// Under which name the ledger keeps the report of a request: of the whole graph, or of a part.
  static func gauge(of request: DbtRequest) -> String {
    request.select.isEmpty ? wholeGauge : partGauge
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
