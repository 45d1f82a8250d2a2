/// Decides which events the next object holds and when it is due.
///
/// A decision follows from the pace, the clock and what was made before; the planner neither waits
/// nor looks at a clock of its own.
package struct ObjectPlanner {
  /// The next object.
  package struct Plan: Equatable {
    /// How many events it holds, where nothing more is known of their times.
    package var count: Int
    /// The simulated time of its end; nil where that is whenever it is made.
    package var endMicros: Int64?
    /// When it is due: seconds since the start.
    package var dueSeconds: Double?
    /// Whether the events happen at random by the world's curves, up to `endMicros` at most.
    package var isDrawn = false
  }

  private let pace: SimulatorRequest.Pace
  private let clock: SimulatorRequest.VirtualClock?
  private let events: Int?
  private let followsCurves: Bool

  package init(_ request: SimulatorRequest) {
    pace = request.pace
    clock = request.clock
    events = request.events
    followsCurves = request.world == .retail
  }

  /// How many events an object holds at most.
  private var size: Int {
    switch pace {
    case .batches(let size, _), .maximum(let size): size
    case .rate(let rate, let size): size ?? usualSize(rate)
    }
  }

  /// Half a second's events while somebody waits for them; more where a clock fills the past.
  private func usualSize(_ rate: Double) -> Int {
    let live = max(1, min(50_000, Int(rate / 2)))
    guard let clock, clock.speed == nil else { return live }
    return clock.untilMicros == nil ? max(live, min(1_000, Int(5 * rate))) : max(live, 1_000)
  }

  private var secondsPerEvent: Double {
    switch pace {
    case .batches(let size, let pause): (pause / .seconds(1)) / Double(size)
    case .rate(let rate, _): 1 / rate
    case .maximum: 0
    }
  }

  private var isMaximum: Bool { if case .maximum = pace { true } else { false } }

  /// The events a second, where they come at random.
  var drawnRate: Double? {
    guard followsCurves, case .rate(let rate, _) = pace else { return nil }
    return rate
  }

  /// The interval that a number of events fills at random.
  var filledInterval: (from: Int64, until: Int64, events: Int)? {
    guard followsCurves, case .maximum = pace, let clock, let until = clock.untilMicros,
      let events
    else { return nil }
    return (clock.fromMicros, until, events)
  }

  /// The next object; nil if everything is made.
  ///
  /// - Parameters:
  ///   - made: how many events there are so far.
  ///   - simulated: up to when time is covered.
  package func next(made: Int, simulated: Int64) -> Plan? {
    let left = events.map { $0 - made } ?? .max
    guard left > 0 else { return nil }
    let count = min(size, left)
    guard let clock else {
      var plan = Plan(count: count)
      switch pace {
      // The original script pauses after an object, so its first one is due at once.
      case .batches: plan.dueSeconds = made == 0 ? nil : Double(made) * secondsPerEvent
      // The events of an object have happened when it is put.
      case .rate: plan.dueSeconds = Double(made + count) * secondsPerEvent
      case .maximum: break
      }
      if drawnRate != nil { plan = Plan(count: count, endMicros: .max, isDrawn: true) }
      return plan
    }
    let until = clock.untilMicros ?? .max
    guard simulated < until else { return nil }
    if let step = clock.stepMicros {
      let end = min(simulated + step, until)
      if drawnRate != nil { return Plan(count: left, endMicros: end, isDrawn: true) }
      // So many that up to the step's end the rate is kept.
      let due = Double(end - clock.fromMicros) / 1e6 / secondsPerEvent
      return Plan(count: min(left, max(0, Int(due.rounded()) - made)), endMicros: end)
    }
    if drawnRate != nil || filledInterval != nil {
      return Plan(count: count, endMicros: until, isDrawn: true)
    }
    // With a number of events and no pace of their own they fill the time evenly.
    let span = Double(until - clock.fromMicros)
    let microsPerEvent = isMaximum ? span / Double(events ?? 1) : secondsPerEvent * 1e6
    let end = clock.fromMicros + Int64((Double(made + count) * microsPerEvent).rounded())
    return Plan(count: count, endMicros: min(end, until))
  }
}
