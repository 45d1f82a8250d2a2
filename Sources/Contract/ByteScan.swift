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
  static func block(_ p: Bytes) -> SIMD16<UInt8> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD16<UInt8>.self)
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

  /// The first byte of `start ..< end` that is neither a blank nor a tab, or `end`.
  @inline(__always)
  static func firstNonBlank(from start: Bytes, to end: Bytes) -> Bytes {
    var p = start
    while p < end, p.pointee == UInt8(ascii: " ") || p.pointee == UInt8(ascii: "\t") { p += 1 }
    return p
  }

  /// Copies `count` bytes in blocks of sixteen: reads and writes up to fifteen more.
  @inline(__always)
  static func copy(_ source: Bytes, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(target)
    if count > 128 {
      to.copyMemory(from: from, byteCount: count)
      return
    }
    var offset = 0
    repeat {
      to.storeBytes(
        of: from.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self),
        toByteOffset: offset, as: SIMD2<UInt64>.self)
      offset += 16
    } while offset < count
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
