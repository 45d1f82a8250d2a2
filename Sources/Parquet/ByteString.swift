/// Loads, copies and comparisons of short runs of bytes.
///
/// The wide forms read whole words, so they need `readable` bytes from the start; what lies past
/// the value is masked away.
package enum ByteString {
  /// A value of up to 16 bytes as two little-endian words, padded with zeros.
  ///
  /// `readable` is how many bytes may be read from `bytes` on.
  @inline(__always)
  package static func words(
    _ bytes: UnsafeRawPointer, count: Int, readable: Int
  ) -> (UInt64, UInt64) {
    guard readable >= 16 else { return slowWords(bytes, count: count) }
    let first = bytes.loadUnaligned(as: UInt64.self)
    let second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let firstMask = count >= 8 ? UInt64.max : ~(UInt64.max &<< UInt64(count &* 8))
    let secondMask =
      count >= 16
      ? UInt64.max : count <= 8 ? 0 : ~(UInt64.max &<< UInt64((count &- 8) &* 8))
    return (first & firstMask, second & secondMask)
  }

  @inline(never)
  private static func slowWords(_ bytes: UnsafeRawPointer, count: Int) -> (UInt64, UInt64) {
    var words: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &words) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: min(16, count)))
    }
    return words
  }

  package static func isEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Bool {
    guard count >= 8 else {
      for i in 0..<count
      where a.load(fromByteOffset: i, as: UInt8.self) != b.load(fromByteOffset: i, as: UInt8.self) {
        return false
      }
      return true
    }
    // The last word overlaps the one before.
    let last = count &- 8
    var i = 0
    while i < last {
      if a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        != b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      {
        return false
      }
      i &+= 8
    }
    return a.loadUnaligned(fromByteOffset: last, as: UInt64.self)
      == b.loadUnaligned(fromByteOffset: last, as: UInt64.self)
  }

  /// Whether `a` stands before `b`, bytes compared as unsigned numbers.
  package static func isLess(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    let common = min(a.count, b.count)
    var i = 0
    while i &+ 8 <= common {
      let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      if x != y { return x < y }
      i &+= 8
    }
    while i < common {
      if a[i] != b[i] { return a[i] < b[i] }
      i &+= 1
    }
    return a.count < b.count
  }

  /// Copies a value; up to 31 bytes past it are touched on both sides when `readable` allows.
  @inline(__always)
  package static func copy(
    _ source: UnsafeRawPointer, count: Int, readable: Int, to target: UnsafeMutableRawPointer
  ) {
    guard count <= 64, readable >= 64 else {
      target.copyMemory(from: source, byteCount: count)
      return
    }
    typealias Chunk = SIMD16<UInt8>
    target.storeBytes(of: source.loadUnaligned(as: Chunk.self), as: Chunk.self)
    if count > 16 {
      target.storeBytes(
        of: source.loadUnaligned(fromByteOffset: 16, as: Chunk.self), toByteOffset: 16,
        as: Chunk.self)
      if count > 32 {
        target.storeBytes(
          of: source.loadUnaligned(fromByteOffset: 32, as: Chunk.self), toByteOffset: 32,
          as: Chunk.self)
        target.storeBytes(
          of: source.loadUnaligned(fromByteOffset: 48, as: Chunk.self), toByteOffset: 48,
          as: Chunk.self)
      }
    }
  }

  /// 128 bits of a value longer than 16 bytes: not proof of equality, but close.
  package static func longHash(_ bytes: UnsafeRawPointer, count: Int) -> (UInt64, UInt64) {
    var state = UInt64(count) ^ secret.0
    var i = 0
    while i &+ 16 < count {
      state = fold(
        bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self) ^ secret.1,
        bytes.loadUnaligned(fromByteOffset: i &+ 8, as: UInt64.self) ^ state)
      i &+= 16
    }
    let tail = bytes + (count &- 16)
    return (
      state ^ tail.loadUnaligned(as: UInt64.self),
      tail.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    )
  }

  /// A hash of two words and a length. Its constants are fixed, so that the same rows give the
  /// same file; who uses it has to bound what collisions made on purpose may cost.
  @inline(__always)
  package static func hash(_ first: UInt64, _ second: UInt64, _ count: Int) -> UInt64 {
    fold(first ^ secret.0 ^ UInt64(truncatingIfNeeded: count), second ^ secret.1)
  }

  @inline(__always)
  private static var secret: (UInt64, UInt64) { (0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB) }

  /// The two halves of the 128-bit product, added without carry.
  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
