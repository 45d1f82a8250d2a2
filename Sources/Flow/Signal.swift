/// Wakes a stage when there may be something for it to do. Raising it again before the stage has
/// looked changes nothing.
public final class Signal: Sendable {
  /// One element a wake; ends when no more will come. For one consumer.
  public let wakes: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  public init() {
    (wakes, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  public func raise() { continuation.yield() }

  /// Raises it again and again, until the task is cancelled: hints may be lost.
  public func raise(every interval: Duration) async throws {
    while true {
      try await Task.sleep(for: interval)
      raise()
    }
  }

  /// Says that what is there now is all: the stage does it and ends.
  public func finish() { continuation.finish() }
}
