/// When a request is sent again: after 1, 2, 4 … seconds, for a minute in all.
struct Retry: Sendable {
  static let longest = Duration.seconds(60)

  private var pause = Duration.seconds(1)
  private var waited = Duration.zero
  private var hasRenewed = false

  enum Step: Equatable {
    case wait(Duration)
    /// With a new token, at once.
    case renewToken
    case giveUp
  }

  /// - Parameters:
  ///   - status: nil where nobody answered.
  ///   - retryAfter: what the answer asks for.
  mutating func next(status: Int?, retryAfter: Duration? = nil) -> Step {
    switch status {
    case 401 where !hasRenewed:
      hasRenewed = true
      return .renewToken
    case nil, 408, 429, (500...599)?:
      let next = max(pause, retryAfter ?? .zero)
      guard waited + next <= Self.longest else { return .giveUp }
      pause *= 2
      waited += next
      return .wait(next)
    default: return .giveUp
    }
  }
}
