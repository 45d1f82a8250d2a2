public import Logging
import ServiceLifecycle

/// An error that tells whether its cause lies outside and may pass: a full disk, a lock, a network.
public protocol OutageError: Error {
  /// True where the caller waits and tries again; false where waiting cannot help.
  var isOutage: Bool { get }

  /// True where it will not pass unless a person acts, as on a full disk.
  var needsPerson: Bool { get }
}

extension OutageError {
  public var needsPerson: Bool { false }
}

/// Waits out outages.
public enum Outage {
  /// How often a log says that the same outage goes on.
  private static let tellAgain = Duration.seconds(60)

  /// Runs `body`, and again after a growing pause for as long as it fails with an outage.
  ///
  /// - Parameters:
  ///   - limit: gives up, with the last error, once so much time has passed, and at once where a
  ///     person has to act: whoever gives a limit has one waiting. Nil never gives up.
  ///   - stage: who waits, for the log.
  ///   - noticed: called with the reason each time that `body` failed, and with nil at the end.
  public static func waitOut<T>(
    limit: Duration? = nil, stage: String, logger: Logger,
    noticed: (String?) -> Void = { _ in }, _ body: () async throws -> T
  ) async throws -> T {
    defer { noticed(nil) }
    let began = ContinuousClock.now
    var pause = Duration.milliseconds(100)
    var lastTold: ContinuousClock.Instant?
    while true {
      do {
        return try await body()
      } catch let failure as any OutageError where failure.isOutage {
        if let limit, failure.needsPerson || .now - began > limit { throw failure }
        try Task.checkCancellation()
        // Nothing was left half done: the next start finds what waits.
        if Task.isShuttingDownGracefully { throw CancellationError() }
        if lastTold.map({ .now - $0 > Self.tellAgain }) ?? true {
          logger.warning(
            "waiting for an outage to end", metadata: ["stage": "\(stage)", "reason": "\(failure)"])
          lastTold = .now
        }
        noticed(String(describing: failure))
        try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        pause = min(pause * 2, .seconds(5))
      }
    }
  }
}
