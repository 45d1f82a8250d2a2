/// A place in memory where the text of a line is being written.
///
/// Unsafe for speed: it checks no bounds. Sound because each `put` writes at most the number of
/// bytes that its description names, and whoever makes a cursor has reserved the sum of them.
struct LineCursor {
  /// Where the next byte goes.
  var position: UnsafeMutablePointer<UInt8>

  /// Writes fixed ASCII text, all of it.
  @inline(__always)
  mutating func put(_ text: StaticString) {
    let count = text.utf8CodeUnitCount
    position.update(from: text.utf8Start, count: count)
    position += count
  }

  /// Writes the bytes of a buffer, all of them.
  @inline(__always)
  mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let start = bytes.baseAddress else { return }
    position.update(from: start, count: bytes.count)
    position += bytes.count
  }

  /// Writes a customer's id in another form than its own: at most 20 bytes.
  @inline(never)
  mutating func put(_ form: CustomerForm, of customer: UInt32) {
    for byte in form.text(of: customer).utf8 { put(byte) }
  }

  /// Writes eight bytes, the lowest first.
  @inline(__always)
  mutating func put(_ bytes: UInt64) {
    store(bytes.littleEndian, at: 0)
    position += 8
  }

  /// Writes four bytes, the lowest first; the next `put` begins after `count` of them.
  @inline(__always)
  mutating func put(_ bytes: UInt32, keeping count: Int = 4) {
    store(bytes.littleEndian, at: 0)
    position += count
  }

  /// Writes one byte.
  @inline(__always)
  mutating func put(_ byte: UInt8) {
    position.pointee = byte
    position += 1
  }

  /// Writes a number below 100 as two digits.
  @inline(__always)
  mutating func putTwoDigits(_ number: UInt32) {
    store(Self.twoDigits(number).littleEndian, at: 0)
    position += 2
  }

  /// Writes a number below 1 000 as three digits.
  @inline(__always)
  mutating func putThreeDigits(_ number: UInt32) {
    let hundreds = number / 100
    put(UInt8(truncatingIfNeeded: 0x30 &+ hundreds))
    putTwoDigits(number &- hundreds &* 100)
  }

  /// Writes the microseconds since midnight as `17:04:05.678901`: 15 bytes.
  @inline(__always)
  mutating func putTimeOfDay(_ micros: UInt64) {
    let seconds = UInt32(truncatingIfNeeded: micros / 1_000_000)
    let fraction = UInt32(truncatingIfNeeded: micros % 1_000_000)
    let minutes = seconds / 60
    let hours = minutes / 60
    putTwoDigits(hours)
    put(UInt8(ascii: ":"))
    putTwoDigits(minutes &- hours &* 60)
    put(UInt8(ascii: ":"))
    putTwoDigits(seconds &- minutes &* 60)
    put(UInt8(ascii: "."))
    putThreeDigits(fraction / 1_000)
    putThreeDigits(fraction % 1_000)
  }

  /// Writes a whole number without leading zeros: at most 20 digits.
  @inline(__always)
  mutating func putDecimal(_ number: UInt64) {
    if number < 10 {
      put(UInt8(truncatingIfNeeded: 0x30 &+ number))
    } else if number < 100 {
      putTwoDigits(UInt32(truncatingIfNeeded: number))
    } else if number < 1_000 {
      putThreeDigits(UInt32(truncatingIfNeeded: number))
    } else {
      putLongDecimal(number)
    }
  }

  /// The two digits of a number below 100 as text, the first in the lowest byte.
  @inline(__always)
  private static func twoDigits(_ number: UInt32) -> UInt16 {
    let pair = UnsafeRawPointer(digitPairs.utf8Start) + Int(number) * 2
    return UInt16(littleEndian: pair.loadUnaligned(as: UInt16.self))
  }

  @inline(__always)
  private static var digitPairs: StaticString {
    """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464\
    748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949\
    596979899
    """
  }

  /// Writes a whole number of at least 1 000: at most 20 digits.
  @inline(never)
  private mutating func putLongDecimal(_ number: UInt64) {
    var width = 0
    var rest = number
    while rest > 0 {
      width += 1
      rest /= 10
    }
    rest = number
    for index in stride(from: width - 1, through: 0, by: -1) {
      position[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
      rest /= 10
    }
    position += width
  }

  /// Writes an amount of cents as Python prints the float, such as `199.99`, `29.9` or `100.0`: at
  /// most 21 bytes.
  @inline(__always)
  mutating func putMoney(cents: UInt64) {
    let whole = cents / 100
    let fraction = UInt32(truncatingIfNeeded: cents &- whole &* 100)
    putDecimal(whole)
    put(UInt8(ascii: "."))
    putTwoDigits(fraction)
    // A last zero is not printed, unless it is the only digit after the point.
    position -= fraction % 10 == 0 ? 1 : 0
  }

  /// Writes a UUID in lower case: 36 bytes.
  @inline(__always)
  mutating func put(_ uuid: UUIDBits) {
    let high = Self.hexadecimal(uuid.high)
    let low = Self.hexadecimal(uuid.low)
    put(high[0])
    put(UInt8(ascii: "-"))
    put(UInt32(truncatingIfNeeded: high[1]))
    put(UInt8(ascii: "-"))
    put(UInt32(truncatingIfNeeded: high[1] >> 32))
    put(UInt8(ascii: "-"))
    put(UInt32(truncatingIfNeeded: low[0]))
    put(UInt8(ascii: "-"))
    put(UInt32(truncatingIfNeeded: low[0] >> 32))
    put(low[1])
  }

  /// The sixteen hexadecimal digits of a word, the first in the lowest byte: all at once, since the
  /// digits of an id are much of the work of a line.
  @inline(__always)
  private static func hexadecimal(_ word: UInt64) -> SIMD2<UInt64> {
    let bytes = unsafeBitCast(word.bigEndian, to: SIMD8<UInt8>.self)
    let lanes = SIMD8<UInt16>(truncatingIfNeeded: bytes)
    let nibbles = (lanes &>> 4) | ((lanes & 0x000f) &<< 8)
    let letters = ((nibbles &+ 0x0606) &>> 4) & 0x0101
    return unsafeBitCast(nibbles &+ 0x3030 &+ letters &* 0x27, to: SIMD2<UInt64>.self)
  }

  @inline(__always)
  private func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    UnsafeMutableRawPointer(position + offset).storeBytes(of: value, as: Value.self)
  }
}
