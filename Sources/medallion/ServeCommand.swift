import ArgumentParser
import Foundation
import Pipeline
import Server
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
    abstract: "Answers Snowpipe's REST calls for the lake's pipe, until Ctrl-C.",
    discussion: """
      insertFiles, insertReport and loadHistoryScan, as Snowflake documents them (docs/snowpipe.md). \
      Files that a call names are loaded; while 'ingest' or 'run' works on the same lake, that one \
      loads them. Users and their public keys are in a YAML file, by default users.yaml beside the \
      ledger; it is read again when it changes.

      Examples:
        medallion pipe keys --account local --user loader --users lake/users.yaml
        medallion serve
        medallion serve --port 9090 --users users.yaml --error-notification errors.ndjson
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var errors: ErrorNotificationOptions

  @Option(help: "The address to listen on. (default: 127.0.0.1)")
  var host: String?

  @Option(help: "The port to listen on; 0 takes one that is free. (default: 8080)")
  var port: Int?

  @Option(help: "The file of users and their public keys. (default: users.yaml beside the ledger)")
  var users: String?

  func run() async throws {
    let settings = try Settings()
    var options = HTTPServer.Options()
    options.host = try host ?? settings.value("host") { $0 } ?? options.host
    options.port = try port ?? settings.value("port", { Int($0) }) ?? options.port
    guard (0...65_535).contains(options.port) else {
      throw UsageError("there is no port \(options.port): they go from 0 to 65535")
    }
    let logger = try lakeOptions.logger()
    let notifier = try errors.notifier()
    let workspace = try await lakeOptions.openExisting()
    let usersPath = try users ?? settings.value("users") { $0 } ?? "\(workspace.state)/users.yaml"
    let users = try Users(path: usersPath, logger: logger)
    let host = options.host
    if !["127.0.0.1", "localhost", "::1"].contains(host) {
      Terminal.note(
        "medallion: \(host) may be reached from other machines, without TLS: put a proxy that has it before this"
      )
    }
    let desk = ServiceDesk(
      workspace, users: users, options: options, notifier: notifier, logger: logger
    ) { port in
      let name = host.contains(":") ? "[\(host)]" : host
      Terminal.note("medallion: serving http://\(name):\(port), Ctrl-C ends it")
    }
    try await withSignals(logger) { try await desk.run() }
  }
}
