import ArgumentParser
import Dashboard
import Foundation
import Pipeline
import Server

/// Where a lake's dashboard is served, and to whom.
struct DashboardOptions: ParsableArguments {
  @Option(help: "The address to listen on. (default: 127.0.0.1)")
  var host: String?

  @Option(help: "The port to listen on; 0 takes one that is free. (default: 8080)")
  var port: Int?

  @Option(
    help: """
      The file of the token that is asked for where other machines can reach the address; it is \
      made if it is not there. (default: dashboard.token beside the ledger)
      """)
  var tokenFile: String?

  @Option(help: "How long something may wait before a stage counts as stuck. (default: 2m)")
  var stuckAfter: Span?

  /// - Parameter isAside: the dashboard is not what the command is about.
  func options(_ workspace: Workspace, isAside: Bool) throws -> ServiceDesk.Options {
    let settings = try Settings()
    var options = ServiceDesk.Options()
    options.http.host = try host ?? settings.value("host") { $0 } ?? options.http.host
    let asked = try port ?? settings.value("port") { Int($0) }
    options.http.port = asked ?? options.http.port
    options.mayTakeAnotherPort = isAside && asked == nil
    guard (0...65_535).contains(options.http.port) else {
      throw UsageError("there is no port \(options.http.port): they go from 0 to 65535")
    }
    options.patience = try stuckAfter.patience()
    let host = options.http.host
    if !Access.isLoopback(host) {
      let path =
        try tokenFile ?? settings.value("token-file") { $0 } ?? "\(workspace.state)/dashboard.token"
      options.access = Access(token: try AccessToken.read(at: path))
      Terminal.note(
        "medallion: \(host) may be reached from other machines, without TLS: put a proxy that has it before this; the dashboard asks for the token in \(path)"
      )
    }
    return options
  }

  static func url(_ options: ServiceDesk.Options, port: Int) -> String {
    // Nobody can go to "every address".
    let host = ["0.0.0.0", "::"].contains(options.http.host) ? "127.0.0.1" : options.http.host
    return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}

extension Span? {
  /// How long something may wait before a stage counts as stuck.
  func patience() throws -> Duration {
    try (self ?? Settings().value("stuck-after", Span.init))?.duration ?? Monitor.patience
  }
}
