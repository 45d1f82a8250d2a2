import Synchronization

/// A number that several tasks count down together.
final class Countdown: Sendable {
  private let value: Atomic<Int>

  init(_ start: Int) { value = Atomic(start) }

  /// The number after this step.
  func decrement() -> Int { value.subtract(1, ordering: .relaxed).newValue }
}
