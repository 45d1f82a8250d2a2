import Flow
import Foundation
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
    /// Objects from the future, and since when they have been seen as they are.
    var watched: [ObjectKey: (object: ObjectInfo, since: ContinuousClock.Instant)] = [:]
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

  /// Whether an object that somebody else wrote has not changed for so long.
  ///
  /// Its modification time tells, unless that is in the future, as from a host whose clock is
  /// ahead: then it has to be seen unchanged for as long.
  func hasRested(_ object: ObjectInfo, for settle: Duration) -> Bool {
    let now = Int64(Date().timeIntervalSince1970 * 1e9)
    if object.modifiedNanos <= now {
      return .nanoseconds(now - object.modifiedNanos) >= settle
    }
    return state.withLock { state in
      guard let seen = state.watched[object.key], seen.object == object else {
        state.watched[object.key] = (object, .now)
        return settle == .zero
      }
      guard .now - seen.since >= settle else { return false }
      state.watched[object.key] = nil
      return true
    }
  }

  func take() -> Contents {
    state.withLock { state in
      defer { state = State(lastSweep: state.lastSweep, watched: state.watched) }
      return Contents(
        whole: state.whole, touched: state.touched, mustListAll: state.mustListAll,
        mustListRecent: state.mustListRecent)
    }
  }
}
