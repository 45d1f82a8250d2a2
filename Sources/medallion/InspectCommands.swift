import ArgumentParser
import Foundation
import Ledger
import Pipeline
import Transform

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Proves that every line is accounted for, from raw to gold; exit 1 if not.",
    discussion: """
      What has not arrived at the next layer yet is pending, and no imbalance.

      Examples:
        medallion verify
        medallion verify --deep                      reads every raw object again
        medallion verify --answer-key key.ndjson     scores the lake against the simulator
        medallion verify --target snowflake          from raw to gold on Snowflake
      """)

  @OptionGroup var lakeOptions: LakeOptions

  @Flag(help: "Read every raw object again: count its lines and compare its content.")
  var deep = false

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  @Flag(help: "Print the equation of every batch, not only of those that do not balance.")
  var batches = false

  @Option(help: "The answer key that the simulator wrote.")
  var answerKey: String?

  @Option(
    help: "Whose staging, silver and gold: duckdb, or snowflake, through dbt.",
    transform: DbtTarget.named)
  var target = DbtTarget.duckdb

  func run() async throws {
    guard target == .duckdb || answerKey == nil else {
      throw UsageError(
        "--answer-key is compared with the local warehouse: leave out --target \(target.rawValue)")
    }
    let workspace = try await lakeOptions.open(creating: false)
    let report = try await Verifier(
      workspace, deep: deep, answerKey: answerKey, target: target
    ).run()
    if json {
      try printJSON(report)
    } else {
      print(Self.table(report))
      if let listed = Self.batchTable(report, all: batches) { print("\n" + listed) }
      if let score = report.score { print("\n" + Self.scoreTable(score)) }
      print(Self.verdict(report))
    }
    if !report.balanced { throw ExitCode(1) }
  }

  static func verdict(_ report: VerifyReport) -> String {
    let waiting = report.waiting
    var pending = "nothing pending"
    if report.pending > 0 {
      pending =
        "pending: \(waiting.rawObjects) raw objects, \(waiting.bronzeRows) bronze rows, "
        + "\(waiting.stagingRows) staging rows, \(waiting.quarantineRows) quarantined lines"
    }
    if report.balanced {
      return "verified: \(report.batches.count) batches, every line accounted for; \(pending)"
    }
    return "NOT BALANCED:\n" + report.findings.map { "  \($0)" }.joined(separator: "\n")
  }

  private static func table(_ report: VerifyReport) -> String {
    var table = TextTable("check", "left", "right", "")
    for check in report.checks {
      table.add(
        check.name, check.left.description, check.right.description, check.ok ? "ok" : "OFF")
    }
    return table.text
  }

  private static func scoreTable(_ score: AnswerKeyScore) -> String {
    var table = TextTable("answer key", "expected", "found", "matched", "precision", "recall")
    func add(_ name: String, _ match: AnswerKeyScore.Match) {
      table.add(
        name, String(match.expected), String(match.found), String(match.matched),
        String(format: "%.3f", match.precision), String(format: "%.3f", match.recall))
    }
    for (reason, match) in score.reasons.sorted(by: { $0.key < $1.key }) { add(reason, match) }
    if let duplicates = score.duplicates { add("duplicates", duplicates) }
    if let conflicts = score.conflicts { add("conflicts", conflicts) }
    if let gold = score.gold { add("gold by day and category", gold.rows) }
    var text =
      table.text + "\nquarantine: \(score.matched) matched, \(score.missed) missed, "
      + "\(score.wrongReason) for another reason, \(score.unexpected) unexpected"
    if let gold = score.gold {
      text += "\ngold: revenue \(gold.foundRevenue), the answer key has \(gold.expectedRevenue)"
    } else {
      text += "\nduplicates, conflicts and gold are compared once nothing is pending"
    }
    return text + "\nscore: \(score.perfect ? "1.000 throughout" : "NOT PERFECT")"
  }

  private static func batchTable(_ report: VerifyReport, all: Bool) -> String? {
    let listed = report.batches.filter { all || !$0.ok }
    if listed.isEmpty { return nil }
    var table = TextTable(
      "batch", "commit", "lines", "accepted", "quarantined", "blank", "bronze", "staging", "")
    for batch in listed {
      table.add(
        batch.batch, String(batch.commit), String(batch.lines), String(batch.accepted),
        String(batch.quarantined), String(batch.blank), String(batch.bronzeRows),
        batch.stagingRows.map(String.init) ?? "pending", batch.ok ? "ok" : "OFF")
    }
    return table.text
  }
}

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Tells what is installed, what is missing, and how to mend it.",
    discussion: """
      Example:
        medallion doctor
      """)

  @OptionGroup var lakeOptions: LakeOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    let findings = await Doctor.examine(
      try lakeOptions.place(), state: try lakeOptions.statePlace(),
      contract: try lakeOptions.contractPlace())
    if json {
      try printJSON(findings)
    } else {
      for finding in findings {
        print("\(finding.ok ? "ok  " : "MEND")  \(finding.name): \(finding.detail)")
      }
    }
    if !findings.allSatisfy(\.ok) { throw ExitCode(1) }
  }
}
