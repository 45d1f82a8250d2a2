import Foundation
public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// The HTTP server of this program: routes are added by whoever has something to say.
///
/// It ends by graceful shutdown: requests at hand are answered, others are not taken.
public struct HTTPServer: Service {
  public struct Options: Sendable {
    /// The address that it listens on.
    public var host = "127.0.0.1"
    /// 0 takes one that is free.
    public var port = 8080
    /// The header of a request, in bytes.
    public var longestHeader = 32 << 10
    public var mostConnections = 512
    /// How long a client may take to send a request, or say nothing.
    public var patience = Duration.seconds(30)

    public init() {}
  }

  private var options: Options
  private let responder: RouterResponder<BasicRequestContext>
  private let logger: Logger
  private let listening: @Sendable (Int) -> Void

  /// - Parameter listening: called with the port once requests are answered.
  public init(
    options: Options, router: Router<BasicRequestContext>, logger: Logger,
    listening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.options = options
    responder = router.buildResponder()
    self.logger = logger
    self.listening = listening
  }

  /// The same server on another port.
  public func on(port: Int) -> HTTPServer {
    var other = self
    other.options.port = port
    return other
  }

  public func run() async throws {
    let patience = TimeAmount(options.patience)
    let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: options.longestHeader, maxHeaderListSize: options.longestHeader,
      maxHeaderFieldCount: 100)
    let channel = HTTP1Channel.Configuration(
      additionalChannelHandlers: [RequestDeadline(limit: patience)], idleTimeout: patience,
      httpDecoderConfiguration: decoder)
    var quiet = logger
    quiet.logLevel = .critical
    let application = Application(
      responder: responder, server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(options.host, port: options.port),
        availableConnectionsDelegate: .maximum(options.mostConnections, logger: quiet)),
      onServerRunning: { [listening] channel in
        listening(channel.localAddress?.port ?? 0)
      }, logger: quiet)
    do {
      try await application.run()
    } catch let failure as IOError {
      throw ServerError(host: options.host, port: options.port, failure)
    }
  }
}

/// Why the server cannot listen.
public struct ServerError: Error, CustomStringConvertible, Sendable {
  public let description: String
  /// A port that is free, where another program has the one that was asked for.
  public let freePort: Int?

  init(host: String, port: Int, _ failure: IOError) {
    var freePort: Int?
    let why: String
    switch failure.errnoCode {
    case EADDRINUSE:
      freePort = Ports.free(after: port, host: host)
      why =
        "\(Ports.holder(of: port) ?? "another program") listens there: end it, or choose another"
        + (freePort.map { ", such as --port \($0)" } ?? " --port")
    case EACCES: why = "this user may not: choose a --port above 1023"
    case EADDRNOTAVAIL: why = "this machine has no such address: choose another --host"
    default: why = String(describing: failure)
    }
    self.freePort = freePort
    description = "cannot listen on \(host):\(port): \(why)"
  }
}
