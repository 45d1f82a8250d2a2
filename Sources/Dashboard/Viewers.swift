import Synchronization

/// Who looks at which view, and waits to be told that something may have changed.
package final class Viewers: Sendable {
  package static let most = 250
  /// Different views at a time: each costs some queries a refresh.
  package static let mostViews = 32

  private struct State {
    var wakes: [Int: (view: View, wake: AsyncStream<Void>.Continuation)] = [:]
    var next = 0
    var hasEnded = false

    var views: Set<View> { Set(wakes.values.map(\.view)) }
  }

  private let state = Mutex(State())

  package init() {}

  package var count: Int { state.withLock { $0.wakes.count } }

  var views: Set<View> { state.withLock { $0.views } }

  /// One element each time that there may be something new; nil where there is no room for one more.
  /// Whoever lets go of it has left.
  package func join(_ view: View) -> AsyncStream<Void>? {
    let (stream, wake) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let viewer: Int? = state.withLock { state in
      guard !state.hasEnded, state.wakes.count < Self.most,
        state.wakes.count < Self.mostViews || state.views.contains(view)
          || state.views.count < Self.mostViews
      else { return nil }
      state.next += 1
      state.wakes[state.next] = (view, wake)
      return state.next
    }
    guard let viewer else { return nil }
    wake.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.wakes.removeValue(forKey: viewer) }
    }
    return stream
  }

  func wake() {
    for (_, wake) in state.withLock({ $0.wakes.values }) { wake.yield() }
  }

  /// Lets every viewer go, and nobody in any more.
  package func end() {
    let wakes = state.withLock { state in
      state.hasEnded = true
      return state.wakes.values
    }
    for (_, wake) in wakes { wake.finish() }
  }
}
