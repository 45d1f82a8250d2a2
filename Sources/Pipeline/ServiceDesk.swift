public import Dashboard
import Flow
import Hummingbird
import Lake
public import Logging
public import Server
public import ServiceLifecycle
public import Snowpipe

/// What a lake answers over HTTP: the dashboard, and in `medallion serve` Snowpipe's REST calls, with
/// the pipe behind them.
public struct ServiceDesk: Service {
  public struct Options: Sendable {
    public var http = HTTPServer.Options()
    /// Takes another port where somebody has the one that was asked for.
    public var mayTakeAnotherPort = false
    /// Who may look at the dashboard.
    public var access = Access(token: nil)
    /// How long something may wait before a stage counts as stuck.
    public var patience = Monitor.patience

    public init() {}
  }

  /// Who may call the pipe, and who is told of files that cannot be loaded.
  public struct PipeCalls: Sendable {
    public let users: Users
    public let notifier: ErrorNotifier?

    public init(users: Users, notifier: ErrorNotifier? = nil) {
      self.users = users
      self.notifier = notifier
    }
  }

  private let workspace: Workspace
  private let options: Options
  private let calls: PipeCalls?
  private let dashboard: DashboardService
  private let logger: Logger
  private let listening: @Sendable (Int) -> Void

  /// - Parameters:
  ///   - calls: nil where the dashboard alone is served.
  ///   - listening: called with the port once requests are answered.
  public init(
    _ workspace: Workspace, options: Options, calls: PipeCalls? = nil, logger: Logger,
    listening: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    self.workspace = workspace
    self.options = options
    self.calls = calls
    self.logger = logger
    self.listening = listening
    let monitor = Monitor(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      patience: options.patience)
    dashboard = try DashboardService(
      monitor, contract: workspace.contract, charts: workspace.home.charts,
      access: options.access, logger: logger)
  }

  public func run() async throws {
    let queued = Signal()
    let router = Router()
    dashboard.addRoutes(to: router)
    if let calls {
      SnowpipeEndpoint(
        lake: workspace.lake, ledger: workspace.ledger, users: calls.users, queued: queued,
        logger: logger
      ).addRoutes(to: router)
    }
    let server = HTTPServer(
      options: options.http, router: router, logger: logger, listening: listening)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listen(server) }
      group.addTask { try await dashboard.run() }
      if let calls { group.addTask { try await load(queued, calls.notifier) } }
      while try await group.next() != nil {}
    }
  }

  /// Serves beside `body` and ends with it. That nothing can be served is logged, and does not keep
  /// `body` from its work.
  public func during(_ body: @escaping @Sendable () async throws -> Void) async throws {
    var quiet = logger
    quiet.logLevel = .critical
    let services = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(
            service: self, successTerminationBehavior: .ignore,
            failureTerminationBehavior: .gracefullyShutdownGroup)
        ], logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await services.run()
        } catch {
          logger.warning("there is no dashboard", metadata: ["reason": "\(error)"])
        }
      }
      defer { group.cancelAll() }
      try await body()
      await services.triggerGracefulShutdown()
    }
  }

  private func listen(_ server: HTTPServer) async throws {
    do {
      try await server.run()
    } catch let failure as ServerError {
      guard options.mayTakeAnotherPort, let port = failure.freePort else { throw failure }
      try await server.on(port: port).run()
    }
  }

  private func load(_ queued: Signal, _ notifier: ErrorNotifier?) async throws {
    let pipe = PipeStage(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      contract: workspace.contract, logger: logger, notifier: notifier)
    let state = workspace.state
    try await pipe.runQueue(queued) {
      do {
        return try StageLock("ingest", state: state, isBrief: true)
      } catch let busy as LakeError where busy.code == .stageBusy {
        return nil
      }
    }
  }
}
