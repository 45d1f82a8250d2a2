/// Says when purchases happen in a retail world: at random, and more of them in its busy hours.
///
/// Either a Poisson process of so many events a second on average over a typical week, or a given
/// number of events spread over an interval. Both follow the world's curves.
struct Arrivals: Sendable {
  /// How the steady time from one event to the next is found.
  private enum Spacing {
    case poisson(meanMicros: Double)
    case even(partMicros: Double)
  }

  /// Where a process stands.
  struct Progress: Hashable, Codable, Sendable {
    var position: DemandClock.Position
    /// Of evenly spread events, how much of the part at hand lies behind the last event.
    var used = 0.0
  }

  private let spacing: Spacing
  private let waits = ExponentialTable()
  private var clock: DemandClock
  private var used: Double

  /// A Poisson process.
  ///
  /// - Parameters:
  ///   - progress: where it begins, or where an earlier one stood.
  ///   - perSecond: the mean rate over a typical week.
  init(_ world: RetailWorld, from progress: Progress, perSecond: Double) {
    spacing = .poisson(meanMicros: 1e6 / perSecond)
    clock = DemandClock(world, at: progress.position)
    used = 0
  }

  /// A number of events, spread over an interval.
  ///
  /// - Parameter progress: where an earlier process stood, to go on from there.
  init(
    _ world: RetailWorld, from start: Int64, to end: Int64, count: Int, progress: Progress? = nil
  ) {
    let steady = DemandClock.steadyMicros(world, from: start, to: end)
    spacing = .even(partMicros: steady / Double(max(1, count)))
    clock = DemandClock(world, at: progress?.position ?? DemandClock.Position(micros: start))
    used = progress?.used ?? 0
  }

  /// Where the process stands.
  var progress: Progress { Progress(position: clock.position, used: used) }

  /// The times of the next `count` events, or fewer where the process comes to `limit`.
  mutating func next(
    _ count: Int, until limit: Int64, using random: inout SeededRandom,
    reusing times: inout [Int64]
  ) {
    times.removeAll(keepingCapacity: true)
    while times.count < count {
      let step: Double
      switch spacing {
      case .poisson(let mean): step = waits.next(using: &random) * mean
      case .even(let part):
        let place = part * random.unit()
        step = used + place
        used = part - place
      }
      let isWithin = clock.advance(by: step, until: limit)
      if !isWithin {
        // Rounding must not cost the last of a given number of events.
        guard case .even = spacing else { return }
        times.append(limit - 1)
        continue
      }
      times.append(clock.position.micros)
    }
  }
}
