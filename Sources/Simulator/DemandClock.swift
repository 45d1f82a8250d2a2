/// Turns the time of a steady stream of purchases into a time of a world that has busy and quiet
/// hours.
///
/// Steady time is real time weighted with the world's intensity: in a typical week both pass alike.
/// The clock only goes forward. It goes over a day's quarters of an hour, which costs little.
struct DemandClock: Sendable {
  /// How an instant is kept: whole microseconds since 1970-01-01T00:00:00Z and the part below one,
  /// so that no time is lost over millions of steps.
  struct Position: Hashable, Codable, Sendable {
    var micros: Int64
    var fraction = 0.0
  }

  private let world: RetailWorld
  private(set) var position: Position
  private(set) var day: TradingDay

  init(_ world: RetailWorld, at position: Position) {
    self.world = world
    self.position = position
    day = world.tradingDay(CivilDate.daysSinceEpoch(ofMicros: position.micros))
  }

  /// Goes on by so much steady time, in microseconds, but not beyond `limit`.
  ///
  /// - Returns: whether it got there before the limit, where it stands otherwise.
  @inline(__always)
  mutating func advance(by steadyMicros: Double, until limit: Int64) -> Bool {
    var left = steadyMicros
    while true {
      let start = day.day * CivilDate.microsPerDay
      let quarter = (position.micros - start) / TradingDay.microsPerQuarter
      let end = start + (quarter + 1) * TradingDay.microsPerQuarter
      let intensity = day.intensities[Int(quarter)]
      let room = (Double(end - position.micros) - position.fraction) * intensity
      if left < room {
        let moved = position.fraction + left / intensity
        let whole = moved.rounded(.down)
        position.micros += Int64(whole)
        position.fraction = moved - whole
        if position.micros < limit { return true }
        move(to: limit)
        return false
      }
      left -= room
      move(to: min(end, limit))
      if end >= limit { return false }
    }
  }

  private mutating func move(to micros: Int64) {
    position = Position(micros: micros)
    let number = CivilDate.daysSinceEpoch(ofMicros: micros)
    if number != day.day { day = world.tradingDay(number) }
  }

  /// How much steady time passes between two instants, in microseconds.
  static func steadyMicros(_ world: RetailWorld, from start: Int64, to end: Int64) -> Double {
    var sum = 0.0
    var time = start
    var day = world.tradingDay(CivilDate.daysSinceEpoch(ofMicros: start))
    while time < end {
      let dayStart = day.day * CivilDate.microsPerDay
      let quarter = (time - dayStart) / TradingDay.microsPerQuarter
      let next = min(end, dayStart + (quarter + 1) * TradingDay.microsPerQuarter)
      sum += Double(next - time) * day.intensities[Int(quarter)]
      time = next
      if time == dayStart + CivilDate.microsPerDay { day = world.tradingDay(day.day + 1) }
    }
    return sum
  }
}
