/// The times of an object's events: rising, one at random in each of equal parts of an interval.
package struct EventTimes {
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
