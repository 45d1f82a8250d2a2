/// A JSON number as it was read: RFC 8259, section 6.
struct DecimalText {
  /// The digits without sign, dot and exponent; meaningless if `isCut`.
  var mantissa: UInt64 = 0
  /// The power of ten that `mantissa` is to be multiplied with.
  var exponent: Int32 = 0
  var isNegative = false
  /// Written without a fraction and without an exponent.
  var isInteger = true
  /// More than nineteen digits, which `mantissa` does not hold.
  var isCut = false

  /// Reads the number that begins at `start` and returns where it ends, or nil if none does.
  ///
  /// Stops at the first byte that cannot belong to it; what may follow is the caller's to judge.
  @inline(__always)
  mutating func read(_ start: Bytes) -> Bytes? {
    var p = start
    isNegative = p.pointee == UInt8(ascii: "-")
    if isNegative { p += 1 }
    let integer = p
    var digit = p.pointee &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    var digits = UInt64(digit)
    p += 1
    if digit != 0 {
      digit = p.pointee &- UInt8(ascii: "0")
      while digit <= 9 {
        digits = digits &* 10 &+ UInt64(digit)
        p += 1
        digit = p.pointee &- UInt8(ascii: "0")
      }
    }
    var count = p - integer
    var scale = 0
    var whole = true
    if p.pointee == UInt8(ascii: ".") {
      whole = false
      p += 1
      let fraction = p
      digit = p.pointee &- UInt8(ascii: "0")
      while digit <= 9 {
        digits = digits &* 10 &+ UInt64(digit)
        p += 1
        digit = p.pointee &- UInt8(ascii: "0")
      }
      guard p > fraction else { return nil }
      scale = p - fraction
      count += scale
    }
    var power = 0
    if p.pointee | 0x20 == UInt8(ascii: "e") {
      whole = false
      p += 1
      let negative = p.pointee == UInt8(ascii: "-")
      if negative || p.pointee == UInt8(ascii: "+") { p += 1 }
      let first = p
      digit = p.pointee &- UInt8(ascii: "0")
      while digit <= 9 {
        // Far outside what a double holds, whatever the mantissa: a line has at most 2^20 digits.
        if power < 100_000_000 { power = power * 10 + Int(digit) }
        p += 1
        digit = p.pointee &- UInt8(ascii: "0")
      }
      guard p > first else { return nil }
      if negative { power = -power }
    }
    mantissa = digits
    exponent = Int32(truncatingIfNeeded: power - scale)
    isInteger = whole
    isCut = count > 19
    return p
  }

  /// The nearest double, ties to even: infinite if too large, zero if too small.
  ///
  /// `start ..< end` is the text that was read. `powersOfTen` holds 1e0 to 1e22, which doubles hold
  /// exactly: a mantissa up to 2^53 times or divided by one of them is rounded once, so correctly
  /// (Clinger, How to read floating point numbers accurately, 1990). The standard library rounds
  /// the others.
  @inline(__always)
  func double(_ start: Bytes, _ end: Bytes, powersOfTen: UnsafePointer<Double>) -> Double {
    if !isCut {
      if mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
        var value = Double(mantissa)
        if exponent < 0 {
          value /= powersOfTen[Int(-exponent)]
        } else {
          value *= powersOfTen[Int(exponent)]
        }
        return isNegative ? -value : value
      }
      if mantissa == 0 { return isNegative ? -0.0 : 0.0 }
    }
    return Self.roundedByStandardLibrary(start, end)
  }

  @inline(never)
  private static func roundedByStandardLibrary(_ start: Bytes, _ end: Bytes) -> Double {
    let text = String(
      decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)
    // A number by RFC 8259 is one to the standard library, so nil is never met.
    return Double(text) ?? .nan
  }

  /// The whole number as written, or nil if it has a fraction or an exponent or does not fit.
  @inline(__always)
  var exactInteger: Int64? {
    guard isInteger, !isCut else { return nil }
    if isNegative {
      guard mantissa <= 1 << 63 else { return nil }
      return 0 &- Int64(truncatingIfNeeded: mantissa)
    }
    return Int64(exactly: mantissa)
  }
}
