import Ledger
import Warehouse

/// The equation of completeness, layer by layer, by the ledger's sums.
///
/// What has not arrived at the next layer yet is on its way, and no imbalance. It costs nothing and
/// holds at any moment, so it can be looked at each second; the proof, which counts each side apart
/// in raw, Parquet and the warehouse, is `medallion verify`.
public struct Balance: Codable, Sendable, Equatable {
  /// One equation.
  public struct Check: Codable, Sendable, Equatable {
    public let name: String
    public let left: Int
    public let right: Int
    public let ok: Bool

    init(_ name: String, _ left: Int, _ right: Int) {
      self.name = name
      self.left = left
      self.right = right
      ok = left == right
    }
  }

  public let checks: [Check]
  /// All of them hold, and nothing is parked or changed (a broken dimension file apart).
  public let balanced: Bool

  init(
    totals: [String: Int], waitingRows: Int, _ counts: WarehouseCounts,
    _ troubles: (parked: [Ledger.Trouble], changed: [Ledger.Trouble])
  ) {
    func total(_ name: String) -> Int { totals[name] ?? 0 }
    let quarantined = totals.filter { $0.key.hasPrefix("quarantined.") }.values.reduce(0, +)
    checks = [
      Check(
        "raw lines = accepted + quarantined + blank", total("raw.lines"),
        total("accepted") + quarantined + total("blank")),
      Check("accepted = bronze rows", total("accepted"), total("bronze.rows")),
      Check(
        "bronze rows = staging rows + on their way", total("bronze.rows"),
        counts.stagingRows + waitingRows),
      Check(
        "staging rows taken in = silver + duplicates + conflicts", counts.transformedRows,
        counts.silverRows + counts.duplicates + counts.conflicts),
      Check("silver = gold transactions", counts.silverRows, counts.goldTransactions),
    ]
    balanced =
      checks.allSatisfy(\.ok) && troubles.changed.isEmpty
      && troubles.parked.allSatisfy { $0.stage == "dimension" }
  }
}
