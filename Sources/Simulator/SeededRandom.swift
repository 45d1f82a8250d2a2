/// A random number generator whose sequence is the same for ever, on every machine.
///
/// The algorithm is xoshiro256** 1.0 by David Blackman and Sebastiano Vigna
/// (<https://prng.di.unimi.it/xoshiro256starstar.c>), its state filled by ``SplitMix64``. It is fast
/// and statistically sound, and it is no source of secrets.
///
/// Golden objects depend on every number it yields, so neither it nor ``below(_:)`` may change. For
/// the same reason the simulator draws bounded numbers with ``below(_:)`` and never with
/// `Int.random(in:using:)`, whose method the standard library does not promise to keep.
public struct SeededRandom: RandomNumberGenerator, Hashable, Codable, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Starts from a seed: four outputs of ``SplitMix64`` become the state.
  public init(seed: UInt64) {
    var filler = SplitMix64(state: seed)
    self.init(state: (filler.next(), filler.next(), filler.next(), filler.next()))
  }

  /// Starts from a state, which must not be all zeros (the generator would yield only zeros).
  package init(state: (UInt64, UInt64, UInt64, UInt64)) {
    (s0, s1, s2, s3) = state
  }

  /// Whether the state can yield anything; false only for a damaged saved state.
  var isValid: Bool { s0 | s1 | s2 | s3 != 0 }

  /// The next 64 random bits.
  @inline(__always)
  public mutating func next() -> UInt64 {
    let result = Self.rotateLeft(s1 &* 5, by: 7) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = Self.rotateLeft(s3, by: 45)
    return result
  }

  /// A number from 0 up to but not including `bound`, each equally likely; 0 when `bound` is 0.
  ///
  /// Daniel Lemire's multiplication method (<https://arxiv.org/abs/1805.10941>): nearly always one
  /// draw, more only when the first would favour some numbers.
  @inline(__always)
  public mutating func below(_ bound: UInt64) -> UInt64 {
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let unfair = (0 &- bound) % bound
      while product.low < unfair {
        product = next().multipliedFullWidth(by: bound)
      }
    }
    return product.high
  }

  /// A number from 0 up to but not including 1, a multiple of 2⁻⁵³.
  @inline(__always)
  public mutating func unit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  @inline(__always)
  private static func rotateLeft(_ value: UInt64, by count: UInt64) -> UInt64 {
    value << count | value >> (64 - count)
  }
}

extension SeededRandom {
  /// One element of a list that is not empty, each equally likely.
  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int(below(UInt64(choices.count)))]
  }
}

/// The generator that spreads a seed over the state of ``SeededRandom``.
///
/// SplitMix64 by Sebastiano Vigna (<https://prng.di.unimi.it/splitmix64.c>): every state, zero
/// included, is a good one, and neighbouring seeds give unrelated numbers.
package struct SplitMix64 {
  private var state: UInt64

  /// Starts at a state.
  package init(state: UInt64) {
    self.state = state
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mix(state)
  }

  /// Stirs 64 bits so that each bit of the result depends on all of them; one to one.
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
