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
}
