/// Decides what a refresh covers: the live models after each load, the whole graph now and then.
///
/// The first refresh is of the whole graph, so that everything exists. Whether a refresh goes through
/// makes no difference to when the other kind is next tried.
struct RefreshSchedule {
  enum Scope: Sendable, Equatable {
    /// The models that dbt's tag `live` names.
    case live
    case whole
  }

  /// From the start of one refresh of the whole graph to the next.
  let wholeInterval: Duration
  private var lastWhole: ContinuousClock.Instant?
  private var isWholeOwed = false

  init(wholeInterval: Duration) { self.wholeInterval = wholeInterval }

  /// What to refresh now that something was loaded.
  mutating func begin(at now: ContinuousClock.Instant) -> Scope {
    if let lastWhole, now - lastWhole < wholeInterval {
      isWholeOwed = true
      return .live
    }
    lastWhole = now
    // Until it has gone through.
    isWholeOwed = true
    return .whole
  }

  mutating func succeeded(_ scope: Scope) {
    if scope == .whole { isWholeOwed = false }
  }

  /// When the whole graph must be refreshed even if nothing more is loaded; nil if it has taken in
  /// everything.
  var wholeIsDue: ContinuousClock.Instant? {
    isWholeOwed ? lastWhole.map { $0 + wholeInterval } : nil
  }
}
