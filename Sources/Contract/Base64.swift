/// Base64 with the standard alphabet and padding: RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func append(_ source: Bytes, count: Int, to target: inout ByteBuffer) {
    var i = 0
    while i < count {
      let left = count - i
      let group =
        UInt32(source[i]) << 16 | (left > 1 ? UInt32(source[i + 1]) << 8 : 0)
        | (left > 2 ? UInt32(source[i + 2]) : 0)
      target.append(alphabet[Int(group >> 18)])
      target.append(alphabet[Int(group >> 12 & 63)])
      target.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      target.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
      i += 3
    }
  }

  /// What `text` encodes, or nil if it is not exactly the encoding of some bytes.
  static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let bytes = Array(text.utf8)
    guard bytes.count % 4 == 0 else { return nil }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count / 4 * 3)
    for start in stride(from: 0, to: bytes.count, by: 4) {
      let isLast = start + 4 == bytes.count
      let padding =
        isLast && bytes[start + 3] == UInt8(ascii: "=")
        ? (bytes[start + 2] == UInt8(ascii: "=") ? 2 : 1) : 0
      var group: UInt32 = 0
      for i in 0..<4 {
        guard let digit = i < 4 - padding ? value(of: bytes[start + i]) : 0 else { return nil }
        group = group << 6 | digit
      }
      // Bits that encode nothing must be zero, so that one text encodes one run of bytes.
      if padding == 2, group & 0xFFFF != 0 { return nil }
      if padding == 1, group & 0xFF != 0 { return nil }
      decoded.append(UInt8(truncatingIfNeeded: group >> 16))
      if padding < 2 { decoded.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if padding < 1 { decoded.append(UInt8(truncatingIfNeeded: group)) }
    }
    return decoded
  }

  private static func value(of digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
