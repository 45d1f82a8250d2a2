import ArgumentParser
import Bronze
import Contract
import Dashboard
import Lake
import Ledger
import Logging
import Pipeline
import Snowpipe
import Synchronization
import Transform
import Warehouse

/// Whether a stage works off what is there, or goes on.
struct FollowOptions: ParsableArguments {
  @Flag(help: "Do what is there and end. (default)")
  var once = false

  @Flag(help: "Go on with what comes, until Ctrl-C.")
  var follow = false

  func validate() throws {
    if once, follow { throw ValidationError("--once and --follow exclude each other") }
  }
}

/// What tells of new objects in S3.
struct QueueOptions: ParsableArguments {
  @Option(
    help: """
      With a lake in S3: the URL of the SQS queue to which the bucket tells what is put into it. \
      Without one, listings find it.
      """)
  var queue: String?

  /// Runs stages, and follows the queue meanwhile if there is one.
  ///
  /// - Parameter prefixes: whose objects the stages take care of.
  func following(
    _ workspace: Workspace, _ prefixes: [String], logger: Logger,
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    guard let url = try queue ?? Settings().value("queue", { $0 }) else { return try await body() }
    try await workspace.notifications(url, of: prefixes, logger: logger).during(body)
  }
}

/// How bronze is written.
struct BronzeOptions: ParsableArguments {
  @Option(
    help: "Parquet's encodings: v1, which every warehouse loads, or v2, smaller. (default: v1)")
  var parquetEncodings: ParquetEncodings?

  func encodings() throws -> BronzeEncodings {
    try (parquetEncodings ?? Settings().value("parquet-encodings", ParquetEncodings.init))?.value
      ?? .version1
  }
}

/// What judges raw lines.
enum BronzeEngine: String, ExpressibleByArgument, CaseIterable {
  /// This program.
  case swift
  /// The Glue job, by Spark on this machine.
  case spark
  /// The Glue job, on AWS.
  case glue
}

struct ParquetEncodings: ExpressibleByArgument {
  let value: BronzeEncodings

  init?(argument: String) {
    guard let value = BronzeEncodings(rawValue: argument) else { return nil }
    self.value = value
  }
}

struct BronzeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bronze",
    abstract: "Raw → bronze: judges raw lines, writes Parquet and quarantine, commits.",
    discussion: """
      Examples:
        medallion bronze --once            consume what is in raw
        medallion bronze --follow          and what comes
        medallion bronze --engine spark    by the Glue job, on this machine
        medallion bronze --engine glue --lake s3://bucket/lake --glue-job retail-lake-cleaner
        medallion bronze --follow --lake s3://bucket/lake --queue https://sqs.eu-west-1.amazonaws.com/123456789012/raw
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var bronzeOptions: BronzeOptions
  @OptionGroup var mode: FollowOptions
  @OptionGroup var queueOptions: QueueOptions

  @Option(
    help: """
      What does the work: swift, this program; spark, the Glue job by spark-submit on this machine; \
      glue, the Glue job on AWS (docs/glue.md). All commit to one lake, in turns.
      """)
  var engine = BronzeEngine.swift

  @Option(help: "With --engine glue: the job's name.")
  var glueJob = "retail-lake-cleaner"

  func validate() throws {
    if engine != .swift, mode.follow {
      throw ValidationError(
        "--engine \(engine.rawValue) does what is there and ends: leave out --follow")
    }
  }

  func run() async throws {
    let encodings = try bronzeOptions.encodings()
    let logger = try lakeOptions.logger(quiet: true)
    let workspace = try await lakeOptions.openExisting()
    let lock = try StageLock("bronze", state: workspace.state)
    guard engine == .swift else {
      try await runElsewhere(workspace, logger)
      _ = lock
      return
    }
    let done = Mutex((objects: 0, counts: Commit.Counts()))
    let stage = BronzeStage(
      lake: workspace.lake, ledger: workspace.ledger, contract: workspace.contract, logger: logger,
      encodings: encodings
    ) { report in
      done.withLock {
        $0.objects += report.commit.sources.count
        $0.counts.lines += report.commit.counts.lines
        $0.counts.accepted += report.commit.counts.accepted
        $0.counts.blank += report.commit.counts.blank
        $0.counts.quarantined["", default: 0] += report.commit.counts.quarantinedTotal
      }
    }
    let progress = Progress {
      let (objects, counts) = done.withLock { $0 }
      return "bronze: \(counts.lines) lines of \(objects) objects"
    }
    let follow = mode.follow
    let queue = queueOptions
    try await withSignals(logger) {
      try await progress.during {
        let follower = BronzeFollower(stage: stage)
        guard follow else { return try await follower.runOnce() }
        try await queue.following(workspace, [LakeLayout.raw], logger: logger) {
          try await follower.run()
        }
      }
    }
    _ = lock
    let (objects, counts) = done.withLock { $0 }
    print(
      "\(objects) objects, \(counts.lines) lines: \(counts.accepted) accepted, "
        + "\(counts.quarantinedTotal) quarantined, \(counts.blank) blank")
    try reportTroubles(workspace)
  }
}

extension BronzeCommand {
  /// Has another engine do the work, and tells what it committed.
  private func runElsewhere(_ workspace: Workspace, _ logger: Logger) async throws {
    let before = try workspace.ledger.lastCommit()
    let said = Mutex("\(engine.rawValue) is starting")
    let name = engine.rawValue
    let jobName = glueJob
    try await withSignals(logger) {
      try await Progress { "bronze: \(said.withLock { $0 })" }.during {
        switch name {
        case "spark":
          try await SparkBronze(workspace).run { line in
            // The rest is Spark's own talk, and in its log.
            if line.contains(" INFO commit ") { said.withLock { $0 = line } }
          }
        default:
          try await GlueBronze(workspace, job: jobName).run { text in said.withLock { $0 = text } }
        }
      }
    }
    let counts = try await workspace.counts(after: before)
    print(
      "\(counts.objects) objects, \(counts.lines.lines) lines: \(counts.lines.accepted) accepted, "
        + "\(counts.lines.quarantinedTotal) quarantined, \(counts.lines.blank) blank")
    try reportTroubles(workspace)
  }
}

struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract:
      "Bronze, quarantine, dimensions → warehouse: the pipe loads each published file once.",
    discussion: """
      Examples:
        medallion ingest --once
        medallion ingest --follow
        medallion ingest --follow --error-notification errors.ndjson
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var mode: FollowOptions
  @OptionGroup var queueOptions: QueueOptions
  @OptionGroup var errors: ErrorNotificationOptions

  func run() async throws {
    let logger = try lakeOptions.logger(quiet: true)
    let workspace = try await lakeOptions.openExisting()
    let lock = try StageLock("ingest", state: workspace.state)
    let done = Mutex(PipeStage.Report())
    let stage = PipeStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      contract: workspace.contract, logger: logger, notifier: try errors.notifier()
    ) { report in done.withLock { $0 += report } }
    let progress = Progress { "ingest: \(done.withLock { $0.rows }) rows" }
    let follow = mode.follow
    let queue = queueOptions
    try await withSignals(logger) {
      try await progress.during {
        guard follow else { return try await stage.runOnce() }
        let prefixes = [LakeLayout.bronze, LakeLayout.commits]
        try await queue.following(workspace, prefixes, logger: logger) { try await stage.run() }
      }
    }
    _ = lock
    print(done.withLock { $0 })
    try reportTroubles(workspace)
  }
}

struct TransformCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transform",
    abstract: "Staging → silver → gold: runs dbt's models and tests, and publishes gold.",
    discussion: """
      Examples:
        medallion transform
        medallion transform --select purchases_silver+
        medallion transform --full-refresh
      """)

  @OptionGroup var lakeOptions: LakeOptions

  @Option(help: "Only these models, in dbt's own selection syntax.")
  var select: [String] = []

  @Flag(help: "Make silver and gold anew from all of staging.")
  var fullRefresh = false

  @Option(help: "The dbt target: duckdb or snowflake.", transform: DbtTarget.named)
  var target = DbtTarget.duckdb

  func run() async throws {
    let logger = try lakeOptions.logger(quiet: true)
    let workspace = try await lakeOptions.open(creating: false)
    let lock = try StageLock("transform", state: workspace.state)
    let project = try workspace.dbtProject()
    let request = DbtRequest(.build, select: select, fullRefresh: fullRefresh, target: target)
    if target != .duckdb {
      try await withSignals(logger) {
        try await Progress { "transform: dbt is running on \(target.rawValue)" }.during {
          let reply = try await RemoteTransform(project: project).run(request)
          print("dbt on \(target.rawValue): \(Self.counts(reply.statuses))")
        }
      }
      _ = lock
      return
    }
    let stage = TransformStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      project: project, logger: logger)
    let report = Mutex<TransformReport?>(nil)
    try await withSignals(logger) {
      try await Progress { "transform: dbt is running" }.during {
        let done = try await stage.runOnce(request)
        report.withLock { $0 = done }
      }
    }
    _ = lock
    guard let report = report.withLock({ $0 }) else { return }
    print(
      "dbt: \(Self.counts(report.nodes)); silver \(report.counts.silverRows) rows, "
        + "gold \(report.counts.goldTransactions) transactions, revenue \(report.counts.goldRevenue)"
    )
  }

  private static func counts(_ statuses: [String: Int]) -> String {
    statuses.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }
}

struct RedriveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redrive",
    abstract: "Judges quarantined lines again under the present contract.",
    discussion: """
      Lines that are accepted now become bronze rows; the same contract changes nothing.

      Examples:
        medallion redrive
        medallion redrive --reason ts_out_of_range
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var bronzeOptions: BronzeOptions

  @Option(help: "Only lines that were quarantined for this reason.")
  var reason: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func run() async throws {
    let reasons = QuarantineReason.allCases.map(\.rawValue)
    if let reason, !reasons.contains(reason) {
      throw UsageError("there is no reason '\(reason)': use \(reasons.joined(separator: ", "))")
    }
    let logger = try lakeOptions.logger(quiet: true)
    let workspace = try await lakeOptions.open(creating: false)
    let lock = try StageLock("bronze", state: workspace.state)
    let stage = BronzeStage(
      lake: workspace.lake, ledger: workspace.ledger, contract: workspace.contract, logger: logger,
      encodings: try bronzeOptions.encodings())
    let redrive = Redrive(stage: stage, reason: reason.flatMap(QuarantineReason.init))
    let report = Mutex(Redrive.Report())
    try await withSignals(logger) {
      let done = try await redrive.run()
      report.withLock { $0 = done }
    }
    _ = lock
    let result = report.withLock { $0 }
    if json { return try printJSON(result) }
    print(
      "\(result.lines) lines judged again: \(result.accepted) accepted, "
        + "\(result.reclassified) for another reason, \(result.unchanged) unchanged")
  }
}

/// Says what waits for a person, and fails if something does.
func reportTroubles(_ workspace: Workspace) throws {
  let (parked, changed) = try workspace.ledger.troubles()
  let troubles = parked + changed
  for trouble in troubles { Terminal.note("\(trouble.stage): \(trouble.key) \(trouble.reason)") }
  if !troubles.isEmpty { throw ExitCode(1) }
}
