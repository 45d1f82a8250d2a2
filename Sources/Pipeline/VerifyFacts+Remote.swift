import Lake
import ObjectStore
import Transform
import Warehouse

extension WarehouseFacts {
  /// The facts of a warehouse elsewhere, by dbt; there is no published gold of it, and no answer key.
  init(_ workspace: Workspace, target: DbtTarget) async throws {
    let reply = try await RemoteTransform(project: try workspace.dbtProject()).run(
      DbtRequest(.verify, target: target))
    guard let facts = reply.facts else {
      throw VerifyError("the dbt worker counted nothing: does it belong to this build?")
    }
    self.init(facts)
  }

  init(_ facts: LayerFacts) {
    var counts = WarehouseCounts()
    counts.stagingRows = facts.stagingRows
    counts.transformedRows = facts.transformedRows
    counts.silverRows = facts.silverRows
    counts.silverRevenue = facts.silverRevenue
    counts.duplicates = facts.duplicates
    counts.conflicts = facts.conflicts
    counts.goldTransactions = facts.goldTransactions
    counts.goldRevenue = facts.goldRevenue
    var stagingRows = Self.byKey(facts.files ?? [:])
    if let foreign = facts.foreignRows, foreign > 0 {
      stagingRows[ObjectKey(trusted: "rows without a load history")] = foreign
    }
    self.counts = counts
    self.stagingRows = stagingRows
    quarantineRows = Self.byKey(facts.quarantineFiles)
    hasLoadHistory = facts.files != nil
    isWindowClosed = facts.lo == facts.hi
    gold = nil
    answers = nil
  }

  private static func byKey(_ rows: [String: Int]) -> [ObjectKey: Int] {
    Dictionary(uniqueKeysWithValues: rows.map { (ObjectKey(trusted: $0), $1) })
  }
}

/// Why nothing can be verified.
struct VerifyError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
