import Bronze
import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import Simulator
import Snowpipe
public import Transform
import Warehouse

/// Shows that every line is accounted for, from raw to gold, or where it is not.
///
/// Each side of an equality is counted apart from the other: raw lines by the objects' own records
/// or, `deep`, from the objects; quarantine from its files; bronze from Parquet footers; staging,
/// silver, its losers and gold in the warehouse. The warehouse is looked at first, then the
/// commits, then raw, so that it is true while the pipeline runs: what came later is pending.
public struct Verifier: Sendable {
  private let workspace: Workspace
  private let deep: Bool
  private let answerKey: String?
  private let target: DbtTarget

  /// - Parameters:
  ///   - deep: also reads every raw object again and compares its content.
  ///   - answerKey: a file that the simulator wrote.
  ///   - target: whose staging, silver and gold to count.
  public init(
    _ workspace: Workspace, deep: Bool = false, answerKey: String? = nil,
    target: DbtTarget = .duckdb
  ) {
    self.workspace = workspace
    self.deep = deep
    self.answerKey = answerKey
    self.target = target
  }

  public func run() async throws -> VerifyReport {
    let isLocal = target == .duckdb
    let published = isLocal ? try await PublishedGold(workspace) : PublishedGold()
    // The key before the warehouse: what it does not tell of yet is no matter of this score.
    let scorer = try answerKey.map { try AnswerKeyScorer($0) }
    let warehouse =
      isLocal
      ? try await WarehouseFacts(workspace, published: published.snapshot, scorer: scorer)
      : try await WarehouseFacts(workspace, target: target)
    let commits = try await readCommits()
    try await workspace.lake.commits.checkNothingFollows(commits.count)
    try await workspace.ledger.catchUp(with: workspace.lake)
    let raw = try await RawFacts(workspace, commits: commits, deep: deep)
    let footers = try await FooterFacts(workspace, commits: commits, deep: deep)
    let quarantine = try await QuarantineFacts(
      workspace, commits: commits, deep: deep, remembering: answerKey != nil)
    return Self.report(
      published: published, warehouse: warehouse, commits: commits, raw: raw, footers: footers,
      quarantine: quarantine, scorer: scorer, troubles: try workspace.ledger.troubles())
  }

  // MARK: -

  private func readCommits() async throws -> [Commit] {
    var commits: [Commit] = []
    while true {
      let next = try await workspace.lake.commits.read(after: commits.count)
      if next.isEmpty { return commits }
      commits += next
    }
  }

  private static func report(
    published: PublishedGold, warehouse: WarehouseFacts, commits: [Commit], raw: RawFacts,
    footers: FooterFacts, quarantine: QuarantineFacts, scorer: AnswerKeyScorer?,
    troubles: (parked: [Ledger.Trouble], changed: [Ledger.Trouble])
  ) -> VerifyReport {
    var findings =
      published.findings + raw.findings + footers.findings + quarantine.findings
    // A broken dimension file is a trouble, and no line that is not accounted for.
    let parked = troubles.parked.filter { $0.stage != PipeStage.dimensionStage }
    for trouble in parked {
      findings.append("\(trouble.key) is parked: \(trouble.reason)")
    }
    for trouble in troubles.changed { findings.append("\(trouble.key) \(trouble.reason)") }

    var batches: [VerifyReport.Batch] = []
    for commit in commits {
      let rows = commit.bronze.map { footers.rows[$0.key] ?? 0 }.reduce(0, +)
      let loaded = commit.bronze.allSatisfy { warehouse.stagingRows[$0.key] != nil }
      let staged = commit.bronze.map { warehouse.stagingRows[$0.key] ?? 0 }.reduce(0, +)
      let counts = commit.counts
      let lines = commit.sources.map(\.lines).reduce(0, +)
      let ok =
        lines == counts.accepted + counts.quarantinedTotal + counts.blank
        && counts.accepted == rows && (!loaded || staged == rows)
      let batch = VerifyReport.Batch(
        commit: commit.number, batch: commit.batch.text, lines: lines, accepted: counts.accepted,
        quarantined: counts.quarantinedTotal, blank: counts.blank, bronzeRows: rows,
        stagingRows: loaded ? staged : nil, ok: ok)
      if !ok { findings.append("commit \(commit.number) (batch \(commit.batch)) does not balance") }
      batches.append(batch)
    }

    func sum(_ value: (VerifyReport.Batch) -> Int) -> Int { batches.map(value).reduce(0, +) }
    let accepted = sum(\.accepted)
    let quarantined = sum(\.quarantined)
    let bronzeRows = footers.rows.values.reduce(0, +)
    // Without a load history nobody knows which files, only how many rows.
    let pendingBronze =
      warehouse.hasLoadHistory
      ? footers.rows.filter { warehouse.stagingRows[$0.key] == nil }.values.reduce(0, +)
      : max(0, bronzeRows - warehouse.counts.stagingRows)
    // Files that only the history knows would be rows of another lake, or of a lost commit.
    let stagedRows =
      warehouse.hasLoadHistory
      ? warehouse.stagingRows.values.reduce(0, +) : warehouse.counts.stagingRows
    var checks = [
      VerifyReport.Check(
        "raw lines = accepted + quarantined + blank", raw.lines,
        accepted + quarantined + sum(\.blank)),
      VerifyReport.Check(
        "quarantined = quarantine records", quarantined, quarantine.records.values.reduce(0, +)),
      VerifyReport.Check("accepted = bronze rows", accepted, bronzeRows),
      VerifyReport.Check("bronze rows = staging rows", bronzeRows - pendingBronze, stagedRows),
    ]
    let counts = warehouse.counts
    let resolved = counts.silverRows + counts.duplicates + counts.conflicts
    if warehouse.isWindowClosed {
      checks += [
        VerifyReport.Check(
          "staging rows = silver + duplicates + conflicts", counts.transformedRows, resolved),
        VerifyReport.Check(
          "silver rows = gold transactions", counts.silverRows, counts.goldTransactions),
        VerifyReport.Check(
          "silver revenue = gold revenue", .amount(counts.silverRevenue),
          .amount(counts.goldRevenue), ok: counts.silverRevenue == counts.goldRevenue),
      ]
    } else {
      // A refresh was cut short: its models are between two windows until the next one ends.
      checks.append(
        VerifyReport.Check(
          "staging rows ≥ silver + duplicates + conflicts (a refresh is unfinished)",
          .count(counts.stagingRows), .count(resolved),
          ok: (counts.transformedRows...counts.stagingRows).contains(resolved)))
    }
    // What a redrive took out of force is there until the pipe comes by.
    let quarantineRows = warehouse.quarantineRows.filter { !quarantine.superseded.contains($0.key) }
    let superseded = warehouse.quarantineRows.filter { quarantine.superseded.contains($0.key) }
    let loadedRecords = quarantine.records.filter { warehouse.quarantineRows[$0.key] != nil }
    let pendingRecords =
      quarantine.records.filter { warehouse.quarantineRows[$0.key] == nil }.values.reduce(0, +)
      + superseded.values.reduce(0, +)
    let astray = Set(loadedRecords.keys).union(quarantineRows.keys).sorted().filter {
      loadedRecords[$0] ?? 0 != quarantineRows[$0] ?? 0
    }
    checks.append(
      VerifyReport.Check(
        "quarantine records = quarantine staging rows",
        .count(loadedRecords.values.reduce(0, +)), .count(quarantineRows.values.reduce(0, +)),
        ok: astray.isEmpty))
    for key in astray {
      findings.append(
        "\(key): \(loadedRecords[key] ?? 0) records in the lake, \(quarantineRows[key] ?? 0) rows in the warehouse"
      )
    }
    if let gold = warehouse.gold {
      checks.append(
        VerifyReport.Check(
          "gold = published gold", .count(gold.gold), .count(gold.published),
          ok: gold.different == 0))
    }
    checks.append(
      VerifyReport.Check(
        "nothing is parked or changed", parked.count + troubles.changed.count, 0))
    let waiting = VerifyReport.Waiting(
      rawObjects: raw.waiting, bronzeRows: pendingBronze,
      stagingRows: warehouse.isWindowClosed
        ? counts.stagingRows - counts.transformedRows : max(0, counts.stagingRows - resolved),
      quarantineRows: pendingRecords)
    let pending =
      waiting.rawObjects + waiting.bronzeRows + waiting.stagingRows + waiting.quarantineRows
    // Gold does not wait for them.
    let pendingPurchases = pending - waiting.quarantineRows
    let score = scorer?.score(
      commits: commits, quarantine: quarantine,
      answers: pendingPurchases == 0 && warehouse.isWindowClosed ? warehouse.answers : nil)
    if let score {
      checks += score.checks
      findings += score.differences
    }
    for check in checks where !check.ok {
      findings.append("\(check.name): \(check.left) against \(check.right)")
    }
    return VerifyReport(
      balanced: findings.isEmpty,
      pending: pending, waiting: waiting, checks: checks, batches: batches, score: score,
      findings: findings)
  }
}
