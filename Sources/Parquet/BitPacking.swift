/// Packs small numbers into bits, least significant bit first.
///
/// Source: Encodings of the Parquet format, "Run Length Encoding / Bit-Packing Hybrid".
package enum BitPacking {
  /// Bytes that `count` values take, in whole groups of eight.
  package static func byteCount(_ count: Int, bitWidth: Int) -> Int {
    (count + 7) / 8 * bitWidth
  }

  /// The fewest bits, at least one, that hold every number below `limit`.
  package static func bitWidth(below limit: Int) -> Int {
    max(1, Int.bitWidth - max(0, limit - 1).leadingZeroBitCount)
  }

  /// Packs `count` numbers below 2^bitWidth, padding the last group of eight with zeros.
  ///
  /// Gives the bytes written; up to 16 more are touched past them.
  package static func pack(
    _ values: UnsafePointer<UInt32>, count: Int, bitWidth: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    let groups = count / 8
    switch bitWidth {
    case 1...8: packNarrow(values, groups: groups, bitWidth: bitWidth, to: target)
    case 9...16: packMiddle(values, groups: groups, bitWidth: bitWidth, to: target)
    default: packWide(values, groups: groups, bitWidth: bitWidth, to: target)
    }
    let rest = count - groups * 8
    if rest > 0 {
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 8) { group in
        for i in 0..<8 { group[i] = i < rest ? values[groups * 8 + i] : 0 }
        packWide(
          UnsafePointer(group.baseAddress!), groups: 1, bitWidth: bitWidth,
          to: target + groups * bitWidth)
      }
    }
    return byteCount(count, bitWidth: bitWidth)
  }

  /// Two neighbours as one number of twice the width.
  @inline(__always)
  private static func pair(_ values: UnsafePointer<UInt32>, _ width: UInt64) -> UInt64 {
    let both = UnsafeRawPointer(values).loadUnaligned(as: UInt64.self)
    return (both & 0xFFFF_FFFF) | (both &>> 32) &<< width
  }

  /// Eight values fit in one word.
  private static func packNarrow(
    _ values: UnsafePointer<UInt32>, groups: Int, bitWidth: Int, to target: UnsafeMutableRawPointer
  ) {
    let width = UInt64(bitWidth)
    var source = values
    var target = target
    for _ in 0..<groups {
      let low = pair(source, width) | pair(source + 2, width) &<< (2 &* width)
      let high = pair(source + 4, width) | pair(source + 6, width) &<< (2 &* width)
      target.storeBytes(of: low | high &<< (4 &* width), as: UInt64.self)
      source += 8
      target += bitWidth
    }
  }

  /// Eight values fit in two words.
  private static func packMiddle(
    _ values: UnsafePointer<UInt32>, groups: Int, bitWidth: Int, to target: UnsafeMutableRawPointer
  ) {
    let width = UInt64(bitWidth)
    let half = 4 &* width
    var source = values
    var target = target
    for _ in 0..<groups {
      let low = pair(source, width) | pair(source + 2, width) &<< (2 &* width)
      let high = pair(source + 4, width) | pair(source + 6, width) &<< (2 &* width)
      // `half` is 36 to 64: Swift's `<<` gives 0 for a shift by the whole width.
      target.storeBytes(of: low | high << half, as: UInt64.self)
      target.storeBytes(of: high &>> (64 &- half), toByteOffset: 8, as: UInt64.self)
      source += 8
      target += bitWidth
    }
  }

  /// Any width up to 32.
  private static func packWide(
    _ values: UnsafePointer<UInt32>, groups: Int, bitWidth: Int, to target: UnsafeMutableRawPointer
  ) {
    let width = UInt64(bitWidth)
    var target = target
    for group in 0..<groups {
      var word: UInt64 = 0
      var filled: UInt64 = 0
      var place = target
      for i in 0..<8 {
        word |= UInt64(values[group &* 8 &+ i]) &<< filled
        filled &+= width
        if filled >= 32 {
          place.storeBytes(of: UInt32(truncatingIfNeeded: word), as: UInt32.self)
          place += 4
          word &>>= 32
          filled &-= 32
        }
      }
      place.storeBytes(of: UInt32(truncatingIfNeeded: word), as: UInt32.self)
      target += bitWidth
    }
  }

  /// Eight bytes as eight bits: a bit is set where the byte is not zero.
  @inline(__always)
  package static func mask(_ bytes: UInt64) -> UInt8 {
    let low7: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let ones = (((bytes & low7) &+ low7) | bytes) &>> 7 & 0x0101_0101_0101_0101
    return UInt8(truncatingIfNeeded: (ones &* 0x0102_0408_1020_4080) &>> 56)
  }

  /// Packs one bit a byte, set where the byte is not zero; gives the number of set bits.
  ///
  /// Writes `(count + 7) / 8` bytes.
  package static func packBits(
    _ flags: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var set = 0
    let groups = count / 8
    let source = UnsafeRawPointer(flags)
    for group in 0..<groups {
      let bits = mask(source.loadUnaligned(fromByteOffset: group &* 8, as: UInt64.self))
      target[group] = bits
      set &+= bits.nonzeroBitCount
    }
    if count % 8 > 0 {
      var bits: UInt8 = 0
      for i in 0..<(count % 8) where flags[groups * 8 + i] != 0 { bits |= 1 << UInt8(i) }
      target[groups] = bits
      set += bits.nonzeroBitCount
    }
    return set
  }

  /// How many of the bytes are not zero.
  package static func countSet(_ flags: UnsafePointer<UInt8>, count: Int) -> Int {
    var set = 0
    let groups = count / 8
    let source = UnsafeRawPointer(flags)
    for group in 0..<groups {
      let word = source.loadUnaligned(fromByteOffset: group &* 8, as: UInt64.self)
      set &+= mask(word).nonzeroBitCount
    }
    for i in (groups * 8)..<count where flags[i] != 0 { set += 1 }
    return set
  }
}
