/// The 128 bits of a UUID, and its text (RFC 9562).
public struct UUIDBits: Hashable, Comparable, Codable, Sendable {
  /// The first 64 bits in the order they are written.
  public let high: UInt64
  /// The last 64 bits.
  public let low: UInt64

  /// Takes the bits as they are.
  @inline(__always)
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A random UUID (version 4, RFC 9562 section 5.4): 122 of the bits given, 6 fixed ones.
  @inline(__always)
  public static func version4(high: UInt64, low: UInt64) -> UUIDBits {
    UUIDBits(
      high: high & 0xffff_ffff_ffff_0fff | 0x0000_0000_0000_4000,
      low: low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }

  /// A UUID that sorts by time (version 7, RFC 9562 section 5.7).
  ///
  /// - Parameters:
  ///   - timestampMillis: milliseconds since 1970-01-01T00:00:00Z; the low 48 bits count.
  ///   - counter: what orders UUIDs of one millisecond; the low 12 bits count.
  ///   - random: what tells makers apart; the low 62 bits count.
  public static func version7(timestampMillis: UInt64, counter: UInt64, random: UInt64) -> UUIDBits
  {
    UUIDBits(
      high: timestampMillis << 16 | 0x7000 | counter & 0x0fff,
      low: random & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }

  /// The bits as 36 lower-case characters, such as `018fd5a0-7c1e-7a3b-9d2e-4f60718293a4`.
  public var text: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      // Sound: the buffer has room for at least the 36 bytes asked for, and `put` writes 36.
      var cursor = LineCursor(position: buffer.baseAddress!)
      cursor.put(self)
      return 36
    }
  }

  public static func < (left: UUIDBits, right: UUIDBits) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension UUIDBits: CustomStringConvertible {
  /// The same as ``text``.
  public var description: String { text }
}
