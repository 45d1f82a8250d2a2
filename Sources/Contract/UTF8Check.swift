/// Whether bytes are well-formed UTF-8: RFC 3629, so no overlong forms, no surrogates, nothing
/// above U+10FFFF.
enum UTF8Check {
  /// Judges exactly `start ..< end`.
  static func isValid(from start: Bytes, to end: Bytes) -> Bool {
    var p = start
    while p < end {
      if end - p >= 8, ByteScan.word(p) & 0x8080_8080_8080_8080 == 0 {
        p += 8
        continue
      }
      let lead = p.pointee
      if lead < 0x80 {
        p += 1
        continue
      }
      // The second byte's bounds depend on the first: RFC 3629, section 4.
      var low: UInt8 = 0x80
      var high: UInt8 = 0xBF
      let length: Int
      switch lead {
      case 0xC2...0xDF: length = 2
      case 0xE0:
        length = 3
        low = 0xA0
      case 0xED:
        length = 3
        high = 0x9F
      case 0xE1...0xEF: length = 3
      case 0xF0:
        length = 4
        low = 0x90
      case 0xF1...0xF3: length = 4
      case 0xF4:
        length = 4
        high = 0x8F
      default: return false
      }
      guard end - p >= length, p[1] >= low, p[1] <= high else { return false }
      if length >= 3, p[2] & 0xC0 != 0x80 { return false }
      if length == 4, p[3] & 0xC0 != 0x80 { return false }
      p += length
    }
    return true
  }
}
