/// The one number that decides everything random in a simulated world.
///
/// Each purpose and each entity draws from a stream of its own, found by name and number: what one
/// of them draws never shifts what another will. So faults switched on leave the purchases beneath
/// them as they were, and a stream can be had without making those before it.
public struct RandomSeed: Hashable, Codable, Sendable {
  /// The seed itself.
  public let value: UInt64

  /// Takes a seed that somebody chose, for a world that can be made again.
  public init(_ value: UInt64) {
    self.value = value
  }

  /// A seed from the system's randomness, for a world unlike any other.
  public static func fromSystem() -> RandomSeed {
    var system = SystemRandomNumberGenerator()
    return RandomSeed(system.next())
  }

  /// The stream of a purpose, such as `purchases`, and within it of the entity number `id`.
  ///
  /// Stable for ever: the seed, the name's FNV-1a hash and the number are stirred together by
  /// SplitMix64's finaliser, one after the other, and the result seeds the stream.
  public func stream(for name: String, id: UInt64 = 0) -> SeededRandom {
    var key = SplitMix64.mix(value &+ 0x9e37_79b9_7f4a_7c15)
    key = SplitMix64.mix(key ^ FNV1a.hash(name.utf8))
    key = SplitMix64.mix(key ^ SplitMix64.mix(id &+ 0x9e37_79b9_7f4a_7c15))
    return SeededRandom(seed: key)
  }

  /// The stream of a purpose for an entity that has a name, such as the store `S004`.
  public func stream(for name: String, id: String) -> SeededRandom {
    stream(for: name, id: FNV1a.hash(id.utf8))
  }
}

/// The 64-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same for ever, unlike
/// `Hasher`, and good enough to tell names apart.
enum FNV1a {
  static func hash(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0xcbf2_9ce4_8422_2325)
    -> UInt64
  {
    var hash = start
    for byte in bytes {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return hash
  }
}
