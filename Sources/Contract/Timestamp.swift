/// A date and time by RFC 3339, section 5.6, as microseconds since 1970-01-01T00:00:00Z.
///
/// Between date and time `T`, `t` or one blank; `Z` or `z` or a numeric offset; any number of
/// fraction digits, cut to six; no leap seconds; the proleptic Gregorian calendar, years 0000 to
/// 9999.
enum Timestamp {
  /// What `parse` returns for text that is no timestamp.
  static let invalid = Int64.min
  static let microsPerDay: Int64 = 86_400_000_000

  /// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z: what a field without bounds may hold.
  static let firstMicros: Int64 = Int64(UTCDay.number(year: 1, month: 1, day: 1)) * microsPerDay
  static let endMicros: Int64 = Int64(UTCDay.number(year: 10_000, month: 1, day: 1)) * microsPerDay

  /// The instant that the `count` bytes at `p` name, or `invalid`. Reads up to 32 bytes, and
  /// `ByteScan.padding` past them, whatever `count` is.
  @inline(__always)
  static func parse(_ p: Bytes, count: Int) -> Int64 {
    guard count >= 20 else { return invalid }
    // "YYYY-MM-" and "DD?HH:MM": xor leaves the digits' values, and nothing of the separators.
    let date = ByteScan.word(p) ^ 0x2D30_302D_3030_3030
    let mixed = ByteScan.word(p + 8) ^ 0x3030_3A30_3020_3030
    let mark = UInt8(truncatingIfNeeded: mixed >> 16)  // xor a blank: 0, "t" for T, "T" for t
    let time = mixed & 0xFFFF_FFFF_FF00_FFFF
    guard isDigits(date), date & 0xFF00_00FF_0000_0000 == 0,
      isDigits(time), time & 0x0000_FF00_0000_0000 == 0,
      mark == 0 || mark | 0x20 == UInt8(ascii: "t")
    else { return invalid }
    let year = Int(byte(date, 0) * 1000 + byte(date, 1) * 100 + byte(date, 2) * 10 + byte(date, 3))
    let month = Int(byte(date, 5) * 10 + byte(date, 6))
    let day = Int(byte(time, 0) * 10 + byte(time, 1))
    let hour = byte(time, 3) * 10 + byte(time, 4)
    let minute = byte(time, 6) * 10 + byte(time, 7)
    let second = twoDigits(p + 17)
    guard p[16] == UInt8(ascii: ":"), hour <= 23, minute <= 59, second <= 59,
      month >= 1, month <= 12, day >= 1, day <= 28 || day <= UTCDay.days(inMonth: month, of: year)
    else { return invalid }
    var micros = Int64(hour * 3600 + minute * 60 + second) * 1_000_000

    var at = 19
    if p[19] == UInt8(ascii: ".") {
      at = 20
      var digit = p[20] &- UInt8(ascii: "0")
      guard digit <= 9 else { return invalid }
      var fraction: Int64 = 0
      var unit: Int64 = 100_000
      // The text ends in a byte that is no digit: its closing quote.
      while digit <= 9, at < count {
        fraction += Int64(digit) * unit
        unit /= 10
        at += 1
        digit = p[at] &- UInt8(ascii: "0")
      }
      micros += fraction
    }

    switch p[at] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"):
      guard count == at + 1 else { return invalid }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard count == at + 6 else { return invalid }
      let hours = twoDigits(p + at + 1)
      let minutes = twoDigits(p + at + 4)
      guard hours <= 23, minutes <= 59, p[at + 3] == UInt8(ascii: ":") else { return invalid }
      let offset = Int64(hours * 3600 + minutes * 60) * 1_000_000
      micros += p[at] == UInt8(ascii: "+") ? -offset : offset
    default: return invalid
    }
    return Int64(UTCDay.number(year: year, month: month, day: day)) * microsPerDay + micros
  }

  /// The UTC day that holds an instant.
  @inline(__always)
  static func day(ofMicros micros: Int64) -> Int32 {
    let (quotient, remainder) = micros.quotientAndRemainder(dividingBy: microsPerDay)
    return Int32(truncatingIfNeeded: remainder < 0 ? quotient - 1 : quotient)
  }

  /// Whether each byte is at most nine.
  @inline(__always)
  private static func isDigits(_ word: UInt64) -> Bool {
    ((word &+ 0x0606_0606_0606_0606) | word) & 0xF0F0_F0F0_F0F0_F0F0 == 0
  }

  @inline(__always)
  private static func byte(_ word: UInt64, _ index: UInt64) -> UInt64 {
    (word >> (index * 8)) & 0xFF
  }

  /// The number of two digits, or one above ninety-nine.
  @inline(__always)
  private static func twoDigits(_ p: Bytes) -> UInt64 {
    let tens = p[0] &- UInt8(ascii: "0")
    let ones = p[1] &- UInt8(ascii: "0")
    guard tens <= 9, ones <= 9 else { return 100 }
    return UInt64(tens) * 10 + UInt64(ones)
  }
}
