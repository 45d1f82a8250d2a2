/// Says when the events of an object happen.
package protocol EventTimeSource {
  /// The time of the next event, in microseconds since 1970-01-01T00:00:00Z.
  mutating func next(using random: inout SeededRandom) -> Int64
}

/// Times that were worked out before.
struct ListedTimes: EventTimeSource {
  private let times: [Int64]
  private var index = 0

  init(_ times: [Int64]) { self.times = times }

  @inline(__always)
  mutating func next(using random: inout SeededRandom) -> Int64 {
    defer { index += 1 }
    return times[index]
  }
}

/// The times of an object's events: rising, one at random in each of equal parts of an interval.
package struct EventTimes: EventTimeSource {
  private let start: Int64
  private let count: Int64
  private let quotient: Int64
  private let remainder: Int64
  private var index: Int64 = 0

  /// Spreads `count` times over [start, end); all are `start` when the interval is empty.
  package init(count: Int, from start: Int64, to end: Int64) {
    self.start = start
    self.count = max(1, Int64(count))
    (quotient, remainder) = (end - start).quotientAndRemainder(dividingBy: self.count)
  }

  /// The next time; asked at most `count` times.
  @inline(__always)
  package mutating func next(using random: inout SeededRandom) -> Int64 {
    let part = start + index * quotient + index * remainder / count
    index += 1
    return part + Int64(random.below(UInt64(quotient)))
  }
}
