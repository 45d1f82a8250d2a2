/// Makes the UUIDv7 of one raw object after another, each greater than all before it.
///
/// RFC 9562 section 6.2, method 1: the 12 bits after the version are a counter. A new millisecond
/// starts it at a random number below 2 048, the next identifier of the same millisecond adds one,
/// and a full counter borrows the next millisecond. A clock that goes back does not matter: the
/// sequence stays at the latest millisecond it has seen.
public struct ObjectIDSequence: Hashable, Codable, Sendable {
  private var lastMillis: UInt64 = 0
  private var counter: UInt64 = 0

  /// Starts a sequence that has made nothing yet.
  public init() {}

  /// The next identifier, for an object that arrives at `millis` since 1970-01-01T00:00:00Z.
  public mutating func next(atMillis millis: UInt64, using random: inout SeededRandom) -> UUIDBits {
    let bits = random.next()
    let tail = random.next()
    if millis > lastMillis {
      lastMillis = millis
      counter = bits & 0x07ff
    } else if counter < 0x0fff {
      counter += 1
    } else {
      lastMillis += 1
      counter = bits & 0x07ff
    }
    return .version7(timestampMillis: lastMillis, counter: counter, random: tail)
  }
}
