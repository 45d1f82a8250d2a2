import Flow
import Hummingbird
import Lake
public import Logging
public import Server
public import ServiceLifecycle
public import Snowpipe

/// What `medallion serve` runs: the HTTP server, and the pipe behind its calls.
public struct ServiceDesk: Service {
  private let workspace: Workspace
  private let users: Users
  private let options: HTTPServer.Options
  private let notifier: ErrorNotifier?
  private let logger: Logger
  private let listening: @Sendable (Int) -> Void

  /// - Parameters:
  ///   - users: who may call.
  ///   - notifier: tells of files that cannot be loaded.
  ///   - listening: called with the port once requests are answered.
  public init(
    _ workspace: Workspace, users: Users, options: HTTPServer.Options,
    notifier: ErrorNotifier? = nil, logger: Logger,
    listening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.workspace = workspace
    self.users = users
    self.options = options
    self.notifier = notifier
    self.logger = logger
    self.listening = listening
  }

  public func run() async throws {
    let queued = Signal()
    let router = Router()
    SnowpipeEndpoint(
      lake: workspace.lake, ledger: workspace.ledger, users: users, queued: queued, logger: logger
    ).addRoutes(to: router)
    let server = HTTPServer(
      options: options, router: router, logger: logger, listening: listening)
    let pipe = PipeStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      contract: workspace.contract, logger: logger, notifier: notifier)
    let state = workspace.state
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask {
        try await pipe.runQueue(queued) {
          do {
            return try StageLock("ingest", state: state, isBrief: true)
          } catch let busy as LakeError where busy.code == .stageBusy {
            return nil
          }
        }
      }
      while try await group.next() != nil {}
    }
  }
}
