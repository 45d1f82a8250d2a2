import ArgumentParser
import Bronze
import Dashboard
import Pipeline
import Snowpipe
import Synchronization
import Transform

struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Makes a fresh lake from the raw objects of another, under the present contract.",
    discussion: """
      The old lake is only read. Interrupted, the same command goes on.

      Example:
        medallion rebuild --lake ./new --raw ./lake
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var bronzeOptions: BronzeOptions

  @Option(help: "The old lake.")
  var raw: String

  func run() async throws {
    let logger = try lakeOptions.logger(quiet: true)
    let rebuild = try await Rebuild(
      raw: raw, place: try lakeOptions.place(), state: try lakeOptions.statePlace())
    let workspace = try await lakeOptions.open(creating: true)
    let locks = try ["bronze", "ingest", "transform"].map {
      try StageLock($0, state: workspace.state)
    }
    let step = Mutex("copying raw objects")
    let bronze = BronzeStage(
      lake: workspace.lake, ledger: workspace.ledger, contract: workspace.contract, logger: logger,
      encodings: try bronzeOptions.encodings())
    let pipe = PipeStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      contract: workspace.contract, logger: logger)
    let transform = TransformStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      project: try workspace.dbtProject(), logger: logger)
    try await withSignals(logger) {
      try await Progress { "rebuild: \(step.withLock { $0 })" }.during {
        _ = try await rebuild.copyRaw(to: workspace.lake) { report in
          step.withLock { $0 = "\(report.objects) raw objects copied" }
        }
        step.withLock { $0 = "bronze" }
        try await BronzeFollower(stage: bronze).runOnce()
        step.withLock { $0 = "ingest" }
        try await pipe.runOnce()
        step.withLock { $0 = "transform" }
        _ = try await transform.runOnce(DbtRequest(.build))
      }
    }
    _ = locks
    print(RunCommand.table(try await Status(workspace)))
    let report = try await Verifier(workspace).run()
    print(VerifyCommand.verdict(report))
    if !report.balanced { throw ExitCode(1) }
  }
}
