/// A place in the bytes that are being read.
typealias Bytes = UnsafePointer<UInt8>

/// Sixteen bytes at a time: the vector steps that the scanners share.
///
/// Everything here may read `padding` bytes past the place it is given, so whoever calls it sees
/// to it that they are readable; what they hold does not matter. Words are read little-endian, as
/// every platform that Swift runs on is.
enum ByteScan {
  /// Bytes that must be readable past the end of a line while it is judged.
  static let padding = 64

  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")

  @inline(__always)
  static func word(_ p: Bytes) -> UInt64 {
    UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)
  }

  @inline(__always)
  static func pair(_ p: Bytes) -> SIMD2<UInt64> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD2<UInt64>.self)
  }

  @inline(__always)
  static func block(_ p: Bytes) -> SIMD16<UInt8> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD16<UInt8>.self)
  }

  /// Up to sixteen bytes as two words, zero past the first `length`.
  @inline(__always)
  static func masked(_ p: Bytes, _ length: Int) -> SIMD2<UInt64> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD2<UInt64>.self) & mask(length)
  }

  /// Ones in the first `length` of sixteen bytes.
  @inline(__always)
  static func mask(_ length: Int) -> SIMD2<UInt64> {
    // Both halves without a branch: a shift by the whole width or more gives 0 with `<<`.
    let low = ~(UInt64.max << UInt64(truncatingIfNeeded: min(max(length, 0), 8) &* 8))
    let high = ~(UInt64.max << UInt64(truncatingIfNeeded: min(max(length &- 8, 0), 8) &* 8))
    return SIMD2<UInt64>(low, high)
  }

  /// All ones in every byte where `mask` holds: two words, the first of them the lower eight bytes.
  @inline(__always)
  static func words(_ mask: SIMDMask<SIMD16<Int8>>) -> SIMD2<UInt64> {
    unsafeBitCast(mask, to: SIMD2<UInt64>.self)
  }

  /// The first line feed in `start ..< end`, or nil; reads nothing past `end`.
  ///
  /// `highBits` ends up zero only if the bytes up to the line feed are all ASCII. Bytes of the
  /// next line that share a block with it may set it too, so it is a reason to look, no verdict.
  @inline(__always)
  static func lineFeed(from start: Bytes, to end: Bytes, highBits: inout UInt64) -> Bytes? {
    var p = start
    var seen = SIMD2<UInt64>(0, 0)
    let feed = SIMD16<UInt8>(repeating: lineFeed)
    let last = end - 16
    while p <= last - 16 {
      let first = block(p)
      let second = block(p + 16)
      let hits = words((first .== feed) .| (second .== feed))
      if hits[0] | hits[1] != 0 { break }
      seen |= unsafeBitCast(first | second, to: SIMD2<UInt64>.self)
      p += 32
    }
    while p <= last {
      let bytes = block(p)
      seen |= unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
      let hits = words(bytes .== feed)
      if hits[0] != 0 {
        highBits = (seen[0] | seen[1]) & 0x8080_8080_8080_8080
        return p + hits[0].trailingZeroBitCount >> 3
      }
      if hits[1] != 0 {
        highBits = (seen[0] | seen[1]) & 0x8080_8080_8080_8080
        return p + 8 + hits[1].trailingZeroBitCount >> 3
      }
      p += 16
    }
    var tail: UInt8 = 0
    while p < end {
      let byte = p.pointee
      if byte == lineFeed { break }
      tail |= byte
      p += 1
    }
    highBits = (seen[0] | seen[1] | UInt64(tail)) & 0x8080_8080_8080_8080
    return p < end ? p : nil
  }

  /// The length of a text of ASCII without escapes or control characters up to its closing quote;
  /// nil if it is another text, or longer than `most`.
  @inline(__always)
  static func plainTextLength(_ start: Bytes, within most: Int) -> Int? {
    var length = 0
    while length <= most {
      let hits = special(block(start + length))
      var place = length
      if hits[0] != 0 {
        place += hits[0].trailingZeroBitCount >> 3
      } else if hits[1] != 0 {
        place += 8 + hits[1].trailingZeroBitCount >> 3
      } else {
        length += 16
        continue
      }
      return place <= most && start[place] == UInt8(ascii: "\"") ? place : nil
    }
    return nil
  }

  /// Whether `count` bytes, sixteen or more, are ASCII without a quote, a backslash or a control
  /// character.
  @inline(__always)
  static func isPlainText(blocks p: Bytes, _ count: Int) -> Bool {
    let last = count &- 16
    var found = special(block(p + last))
    var offset = 0
    while offset < last {
      found |= special(block(p + offset))
      offset &+= 16
    }
    return found[0] | found[1] == 0
  }

  /// All ones in every byte that is no ASCII, or a quote, a backslash or a control character.
  @inline(__always)
  private static func special(_ bytes: SIMD16<UInt8>) -> SIMD2<UInt64> {
    let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let backslash = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
    let blank = SIMD16<Int8>(repeating: 0x20)
    // As signed numbers, bytes outside ASCII are below the blank, too.
    let low = unsafeBitCast(bytes, to: SIMD16<Int8>.self) .< blank
    return words((bytes .== quote) .| (bytes .== backslash) .| low)
  }

  /// Whether `count` bytes can stand in a JSON string as they are: none is a quote, a backslash or
  /// a control character.
  static func standsUnescaped(_ p: Bytes, _ count: Int) -> Bool {
    let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let backslash = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
    let blank = SIMD16<UInt8>(repeating: 0x20)
    var offset = 0
    while offset < count {
      let bytes = block(p + offset)
      let hits = words((bytes .== quote) .| (bytes .== backslash) .| (bytes .< blank))
      let found = hits & mask(count - offset)
      if found[0] | found[1] != 0 { return false }
      offset += 16
    }
    return true
  }

  /// The same, and all of them ASCII.
  static func isPlainText(_ p: Bytes, _ count: Int) -> Bool {
    var offset = 0
    while offset < count {
      let found = special(block(p + offset)) & mask(count - offset)
      if found[0] | found[1] != 0 { return false }
      offset += 16
    }
    return true
  }

  /// Whether `null` stands at `p`.
  @inline(__always)
  static func isNull(_ p: Bytes) -> Bool {
    UnsafeRawPointer(p).loadUnaligned(as: UInt32.self) == 0x6C6C_756E
  }

  /// Whether a byte that no number has comes within `most` bytes.
  static func hasEndOfNumber(_ p: Bytes, within most: Int) -> Bool {
    for index in 0..<most {
      switch p[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
        continue
      default: return true
      }
    }
    return false
  }

  /// The first byte of `start ..< end` that is neither a blank nor a tab, or `end`.
  @inline(__always)
  static func firstNonBlank(from start: Bytes, to end: Bytes) -> Bytes {
    var p = start
    while p < end, p.pointee == UInt8(ascii: " ") || p.pointee == UInt8(ascii: "\t") { p += 1 }
    return p
  }

  /// Copies `count` bytes in blocks of sixteen: reads and writes up to 47 more.
  @inline(__always)
  static func copy(_ source: Bytes, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(target)
    guard count <= 48 else {
      to.copyMemory(from: from, byteCount: count)
      return
    }
    // Without asking how many: most texts are ids.
    to.storeBytes(of: from.loadUnaligned(as: SIMD2<UInt64>.self), as: SIMD2<UInt64>.self)
    to.storeBytes(
      of: from.loadUnaligned(fromByteOffset: 16, as: SIMD2<UInt64>.self), toByteOffset: 16,
      as: SIMD2<UInt64>.self)
    to.storeBytes(
      of: from.loadUnaligned(fromByteOffset: 32, as: SIMD2<UInt64>.self), toByteOffset: 32,
      as: SIMD2<UInt64>.self)
  }

  /// Whether two runs of `count` bytes are equal; reads nothing past them.
  static func equal(_ a: Bytes, _ b: Bytes, _ count: Int) -> Bool {
    var i = 0
    while i + 8 <= count {
      if word(a + i) != word(b + i) { return false }
      i += 8
    }
    while i < count {
      if a[i] != b[i] { return false }
      i += 1
    }
    return true
  }
}
