/// Reads timestamps that follow each other: the date and the hour of one are mostly those of one
/// before, and are then compared instead of read.
///
/// Reads the form `2026-11-23T17:15:30.123456+00:00` by itself, others as `Timestamp` does; an
/// instant is the same either way.
struct InstantReader: ~Copyable {
  private struct Hour {
    /// The first thirteen bytes of the text.
    var low: UInt64
    var high: UInt64
    var micros: Int64
    var day: Int32
  }

  private static let count = 8192
  private static let microsPerHour: Int64 = 3_600_000_000
  private let hours: UnsafeMutablePointer<Hour>

  init() {
    hours = .allocate(capacity: Self.count)
    // No text has more than five bytes in `high`.
    hours.initialize(
      repeating: Hour(low: 0, high: .max, micros: 0, day: 0), count: Self.count)
  }

  deinit { hours.deallocate() }

  /// The size of the timestamp at `p`, which a quote ends, and the instant and UTC day that it
  /// names; nil if none does. Reads up to 64 bytes, and `ByteScan.padding` past them.
  @inline(__always)
  func read(_ p: Bytes, micros: inout Int64, day: inout Int32) -> Int? {
    // ":MM:SS.f", "fffff+00", ":00\"": xor leaves the digits' values, and nothing of the rest.
    let clock = ByteScan.word(p + 13) ^ 0x302E_3030_3A30_303A
    let rest = ByteScan.word(p + 21) ^ 0x3030_2B30_3030_3030
    let end = UnsafeRawPointer(p + 29).loadUnaligned(as: UInt32.self)
    guard end == 0x2230_303A,
      clock & 0xF0FF_F0F0_FFF0_F0FF | rest & 0xFFFF_FFF0_F0F0_F0F0 == 0,
      (clock &+ 0x0600_0606_0006_0600) & 0xF000_F0F0_00F0_F000
        | (rest &+ 0x0000_0006_0606_0606) & 0x0000_00F0_F0F0_F0F0 == 0
    else { return readAny(p, micros: &micros, day: &day) }
    // Two digits each, in the byte of the first: no sum is carried over, since all between are 0.
    let pairs = clock &* 10 &+ clock &>> 8
    let minute = pairs &>> 8 & 0xFF
    let second = pairs &>> 32 & 0xFF
    guard minute < 60, second < 60 else { return nil }
    // Six digits behind two zeros, then pairs, fours and the eight of them added up.
    var fraction = (ByteScan.word(p + 20) & 0x0F0F_0F0F_0F0F) &<< 16
    fraction = (fraction &* (10 << 8 | 1)) &>> 8 & 0x00FF_00FF_00FF_00FF
    fraction = (fraction &* (100 << 16 | 1)) &>> 16 & 0x0000_FFFF_0000_FFFF
    fraction = (fraction &* (10_000 << 32 | 1)) &>> 32
    let low = ByteScan.word(p)
    let high = ByteScan.word(p + 8) & 0xFF_FFFF_FFFF
    let mixed = (low ^ high) &* 0x9E37_79B9_7F4A_7C15
    let hour = hours + Int(truncatingIfNeeded: mixed >> 51)
    if hour.pointee.low != low || hour.pointee.high != high {
      guard remember(p, low, high, hour) else { return nil }
    }
    micros =
      hour.pointee.micros &+ Int64(truncatingIfNeeded: (minute &* 60 &+ second) &* 1_000_000)
      &+ Int64(truncatingIfNeeded: fraction)
    day = hour.pointee.day
    return 32
  }

  /// Finds out what the hour of a timestamp of the usual form is.
  @inline(never)
  private func remember(
    _ p: Bytes, _ low: UInt64, _ high: UInt64, _ hour: UnsafeMutablePointer<Hour>
  ) -> Bool {
    let micros = Timestamp.parse(p, count: 32)
    guard micros != Timestamp.invalid else { return false }
    var past = micros % Self.microsPerHour
    if past < 0 { past += Self.microsPerHour }
    hour.pointee = Hour(
      low: low, high: high, micros: micros - past, day: Timestamp.day(ofMicros: micros))
    return true
  }

  @inline(never)
  private func readAny(_ p: Bytes, micros: inout Int64, day: inout Int32) -> Int? {
    guard let size = ByteScan.plainTextLength(p, within: 64) else { return nil }
    micros = Timestamp.parse(p, count: size)
    guard micros != Timestamp.invalid else { return nil }
    day = Timestamp.day(ofMicros: micros)
    return size
  }
}
