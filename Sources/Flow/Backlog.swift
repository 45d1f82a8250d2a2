import Synchronization

/// What a stage has handed on and the next has not taken yet, in whatever unit both agree on. The
/// earlier stage waits while there is too much of it.
public final class Backlog: Sendable {
  private struct State {
    var amount = 0
    var isClosed = false
    var nextID = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let limit: Int
  private let state = Mutex(State())

  public init(limit: Int) { self.limit = limit }

  public func add(_ amount: Int) { change { $0.amount += amount } }

  public func remove(_ amount: Int) { change { $0.amount = max(0, $0.amount - amount) } }

  public func set(_ amount: Int) { change { $0.amount = amount } }

  /// From now on nobody waits.
  public func close() { change { $0.isClosed = true } }

  /// Returns once there is room, or the task is cancelled.
  public func waitForRoom() async {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mayPass = state.withLock { state in
          if state.amount < limit || state.isClosed || Task.isCancelled { return true }
          state.waiting[id] = continuation
          return false
        }
        if mayPass { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let woken = state.withLock { state in
      body(&state)
      guard state.amount < limit || state.isClosed else {
        return [CheckedContinuation<Void, Never>]()
      }
      defer { state.waiting.removeAll() }
      return Array(state.waiting.values)
    }
    for continuation in woken { continuation.resume() }
  }
}
