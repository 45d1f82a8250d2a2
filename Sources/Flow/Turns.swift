import Synchronization

/// Lets one task at a time pass, or some, first come first served.
public final class Turns: Sendable {
  private struct State {
    var free: Int
    var nextID = 0
    var waiting: [(id: Int, continuation: CheckedContinuation<Void, any Error>)] = []
  }

  private let state: Mutex<State>

  public init(atOnce limit: Int = 1) { state = Mutex(State(free: limit)) }

  public func withTurn<T>(_ body: () async throws -> T) async throws -> T {
    try await take()
    defer { pass() }
    return try await body()
  }

  private func take() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let answer: Result<Void, any Error>? = state.withLock { state in
          // A task that is cancelled before it waits would wait for ever.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.free == 0 {
            state.waiting.append((id, continuation))
            return nil
          }
          state.free -= 1
          return .success(())
        }
        if let answer { continuation.resume(with: answer) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
      }
      continuation?.resume(throwing: CancellationError())
    }
  }

  private func pass() {
    let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().continuation
    }
    next?.resume()
  }
}
