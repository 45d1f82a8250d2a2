import ArgumentParser
import Foundation
import Logging
import Pipeline
import Snowpipe

/// Who is told of files that cannot be loaded.
struct ErrorNotificationOptions: ParsableArguments {
  @Option(
    help: "Tell of files that cannot be loaded, as Snowpipe does: a file, or a webhook's URL.")
  var errorNotification: String?

  func notifier() throws -> ErrorNotifier? {
    try (errorNotification ?? Settings().value("error-notification") { $0 }).map(
      ErrorNotifier.init)
  }
}

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves the lake's dashboard, metrics and Snowpipe's REST calls, until Ctrl-C.",
    discussion: """
      The dashboard is at /, metrics for Prometheus at /metrics, health at /healthz and /readyz \
      (docs/dashboard.md). What it shows is read from the ledger and the published gold, whichever \
      processes run the stages.

      insertFiles, insertReport and loadHistoryScan are answered as Snowflake documents them \
      (docs/snowpipe.md). Files that a call names are loaded; while 'ingest' or 'run' works on the \
      same lake, that one loads them. Users and their public keys are in a YAML file, by default \
      users.yaml beside the ledger; it is read again when it changes.

      Examples:
        medallion serve
        medallion serve --port 9090 --stuck-after 5m
        medallion pipe keys --account local --user loader --users lake/users.yaml
        medallion serve --users users.yaml --error-notification errors.ndjson
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var dashboard: DashboardOptions
  @OptionGroup var errors: ErrorNotificationOptions

  @Option(help: "The file of users and their public keys. (default: users.yaml beside the ledger)")
  var users: String?

  func run() async throws {
    let logger = try lakeOptions.logger()
    let workspace = try await lakeOptions.openExisting()
    let calls = try calls(workspace, logger)
    let options = try dashboard.options(workspace, isAside: false)
    let desk = try ServiceDesk(
      workspace, options: options, calls: calls, logger: logger
    ) { port in
      Terminal.note(
        "medallion: serving \(DashboardOptions.url(options, port: port)), Ctrl-C ends it")
    }
    try await withSignals(logger) { try await desk.run() }
  }

  /// Who may call the pipe; nil, and a note, where nobody has made users.
  private func calls(_ workspace: Workspace, _ logger: Logger) throws -> ServiceDesk.PipeCalls? {
    let notifier = try errors.notifier()
    let named = try users ?? Settings().value("users") { $0 }
    let path = named ?? "\(workspace.state)/users.yaml"
    if named == nil, !FileManager.default.fileExists(atPath: path) {
      Terminal.note(
        "medallion: nobody may call the pipe, since there is no \(path): 'medallion pipe keys --help' tells how to make users"
      )
      return nil
    }
    return .init(users: try Users(path: path, logger: logger), notifier: notifier)
  }
}
