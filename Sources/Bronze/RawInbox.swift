import Flow
import ObjectStore
import Synchronization

/// The raw objects that hints and listings told of, until bronze takes them.
final class RawInbox: Sendable {
  private struct State {
    var whole: Set<ObjectKey> = []
    var touched: Set<ObjectKey> = []
    var mustListAll = false
    var mustListRecent = false
    var lastSweep = Duration.zero
  }

  /// What came in since the last time.
  struct Contents {
    /// Put by this process: whole.
    var whole: Set<ObjectKey>
    /// Written by others: to be looked at until they rest.
    var touched: Set<ObjectKey>
    var mustListAll: Bool
    var mustListRecent: Bool
  }

  let signal = Signal()
  private let state = Mutex(State())

  func add(_ change: ObjectChange) {
    state.withLock { state in
      switch change {
      case .put(let key):
        state.whole.insert(key)
        state.touched.remove(key)
      case .touched(let key):
        // The watch also sees what this process put, once or twice.
        if !state.whole.contains(key) { state.touched.insert(key) }
      case .overflow:
        state.mustListAll = true
      }
    }
    signal.raise()
  }

  func lookAgain(at keys: some Sequence<ObjectKey>) {
    state.withLock { $0.touched.formUnion(keys) }
    signal.raise()
  }

  func listAll() {
    state.withLock { $0.mustListAll = true }
    signal.raise()
  }

  func listRecent() {
    state.withLock { $0.mustListRecent = true }
    signal.raise()
  }

  /// How long the last sweep of recent hours took.
  var lastSweep: Duration { state.withLock { $0.lastSweep } }

  func noteSweep(_ elapsed: Duration) { state.withLock { $0.lastSweep = elapsed } }

  func take() -> Contents {
    state.withLock { state in
      defer { state = State(lastSweep: state.lastSweep) }
      return Contents(
        whole: state.whole, touched: state.touched, mustListAll: state.mustListAll,
        mustListRecent: state.mustListRecent)
    }
  }
}
