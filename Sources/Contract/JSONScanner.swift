/// Reads JSON text strictly by RFC 8259, token by token, without recursion and without memory of
/// its own.
///
/// The text must be valid UTF-8 and be followed by a byte below 0x20 that is not a tab, such as a
/// line feed, and by `ByteScan.padding` readable bytes: every loop stops there, so none of them
/// asks for the end. A line feed is no blank here, since a line holds none.
struct JSONScanner {
  /// What is wrong with the text, once a step has returned nil.
  enum Fault {
    case none
    case malformed
    case tooDeep
    case unpairedSurrogate
  }

  /// The deepest level at which a container may open; the outermost is level 1.
  static let deepestLevel = 64

  private(set) var fault = Fault.none
  /// Where the fault was met, if there is one.
  private(set) var faultPlace: Bytes?

  @inline(never)
  mutating func fail(_ fault: Fault, at place: Bytes) -> Bytes? {
    self.fault = fault
    faultPlace = place
    return nil
  }

  /// The first byte at or after `p` that is no blank, tab or carriage return.
  @inline(__always)
  static func skipBlanks(_ start: Bytes) -> Bytes {
    var p = start
    while true {
      let byte = p.pointee
      guard byte <= 0x20, byte == 0x20 || byte == 0x09 || byte == 0x0D else { return p }
      p += 1
    }
  }

  /// Reads a string whose opening quote is before `start`; returns its closing quote.
  ///
  /// An unpaired surrogate is a fault only once the closing quote is reached: what breaks the
  /// string's syntax comes first.
  @inline(__always)
  mutating func string(_ start: Bytes, isEscaped: inout Bool) -> Bytes? {
    let p = Self.special(start)
    if p.pointee == UInt8(ascii: "\"") { return p }
    if p.pointee == UInt8(ascii: "\\") {
      isEscaped = true
      return escapedString(p)
    }
    return fail(.malformed, at: p)
  }

  /// The first quote, backslash or control character at or after `start`.
  @inline(__always)
  private static func special(_ start: Bytes) -> Bytes {
    let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let backslash = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
    let blank = SIMD16<UInt8>(repeating: 0x20)
    var p = start
    while true {
      let bytes = ByteScan.block(p)
      let hits = ByteScan.words((bytes .== quote) .| (bytes .== backslash) .| (bytes .< blank))
      if hits[0] != 0 { return p + hits[0].trailingZeroBitCount >> 3 }
      if hits[1] != 0 { return p + 8 + hits[1].trailingZeroBitCount >> 3 }
      p += 16
    }
  }

  /// The rest of a string from its first backslash on.
  @inline(never)
  private mutating func escapedString(_ start: Bytes) -> Bytes? {
    var p = start
    var unpaired: Bytes?
    while true {
      switch p.pointee {
      case UInt8(ascii: "\""):
        if let unpaired { return fail(.unpairedSurrogate, at: unpaired) }
        return p
      case UInt8(ascii: "\\"):
        switch p[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
          UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          p += 2
        case UInt8(ascii: "u"):
          guard let unit = Self.hexUnit(p + 2) else { return fail(.malformed, at: p) }
          if unit & 0xFC00 == 0xD800, p[6] == UInt8(ascii: "\\"), p[7] == UInt8(ascii: "u"),
            let second = Self.hexUnit(p + 8), second & 0xFC00 == 0xDC00
          {
            p += 12
          } else {
            if unit & 0xF800 == 0xD800, unpaired == nil { unpaired = p }
            p += 6
          }
        default: return fail(.malformed, at: p)
        }
      case 0..<0x20: return fail(.malformed, at: p)
      default: p = Self.special(p)
      }
    }
  }

  /// The number that the four hexadecimal digits at `p` write, or nil if they are not all digits.
  private static func hexUnit(_ p: Bytes) -> UInt32? {
    var unit: UInt32 = 0
    for i in 0..<4 {
      let digit: UInt8
      switch p[i] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = p[i] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = p[i] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = p[i] - UInt8(ascii: "A") + 10
      // The byte that ends the text is no digit, so nothing is read past it.
      default: return nil
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// Writes what a string means to `target`, as UTF-8, and returns its size: never more than
  /// `end - start` bytes. The string was read before, so it is known to be sound.
  static func unescape(
    from start: Bytes, to end: Bytes, into target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var p = start
    var out = target
    func put(_ byte: UInt32) {
      out.pointee = UInt8(truncatingIfNeeded: byte)
      out += 1
    }
    while p < end {
      guard p.pointee == UInt8(ascii: "\\") else {
        out.pointee = p.pointee
        out += 1
        p += 1
        continue
      }
      let letter = p[1]
      p += 2
      switch letter {
      case UInt8(ascii: "b"): put(0x08)
      case UInt8(ascii: "f"): put(0x0C)
      case UInt8(ascii: "n"): put(0x0A)
      case UInt8(ascii: "r"): put(0x0D)
      case UInt8(ascii: "t"): put(0x09)
      case UInt8(ascii: "u"):
        var scalar = hexUnit(p) ?? 0
        p += 4
        if scalar & 0xFC00 == 0xD800 {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + (hexUnit(p + 2) ?? 0) & 0x3FF
          p += 6
        }
        switch scalar {
        case 0..<0x80: put(scalar)
        case 0x80..<0x800:
          put(0xC0 | scalar >> 6)
          put(0x80 | scalar & 0x3F)
        case 0x800..<0x10000:
          put(0xE0 | scalar >> 12)
          put(0x80 | scalar >> 6 & 0x3F)
          put(0x80 | scalar & 0x3F)
        default:
          put(0xF0 | scalar >> 18)
          put(0x80 | scalar >> 12 & 0x3F)
          put(0x80 | scalar >> 6 & 0x3F)
          put(0x80 | scalar & 0x3F)
        }
      default: put(UInt32(letter))  // quote, backslash, slash
      }
    }
    return out - target
  }

  /// Reads `true`, `false` or `null` and returns its end.
  @inline(__always)
  mutating func literal(_ p: Bytes) -> Bytes? {
    let word = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self)
    switch word {
    case 0x6575_7274: return p + 4  // "true"
    case 0x6C6C_756E: return p + 4  // "null"
    case 0x736C_6166 where p[4] == UInt8(ascii: "e"): return p + 5  // "fals"
    default: return fail(.malformed, at: p)
    }
  }

  /// Reads any value, whose first byte is at `start`, and returns its end. `level` is the number
  /// of containers that are open around it.
  @inline(never)
  mutating func value(_ start: Bytes, level openLevels: Int) -> Bytes? {
    var p = start
    var level = openLevels
    // One bit for each container opened here, the innermost lowest: set for an object.
    var objects: UInt64 = 0
    var number = DecimalText()
    var isEscaped = false

    nextValue: while true {
      switch p.pointee {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard level < Self.deepestLevel else { return fail(.tooDeep, at: p) }
        let isObject = p.pointee == UInt8(ascii: "{")
        level += 1
        objects = objects << 1 | (isObject ? 1 : 0)
        p = Self.skipBlanks(p + 1)
        if isObject {
          if p.pointee != UInt8(ascii: "}") {
            guard let place = nameAndColon(p) else { return nil }
            p = place
            continue nextValue
          }
        } else if p.pointee != UInt8(ascii: "]") {
          continue nextValue
        }
      case UInt8(ascii: "\""):
        guard let close = string(p + 1, isEscaped: &isEscaped) else { return nil }
        p = close + 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard let end = number.read(p) else { return fail(.malformed, at: p) }
        p = end
      default:
        guard let end = literal(p) else { return nil }
        p = end
      }

      // After a value, or at the bracket that closes an empty container.
      while level > openLevels {
        p = Self.skipBlanks(p)
        let isObject = objects & 1 == 1
        switch p.pointee {
        case isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
          objects >>= 1
          level -= 1
          p += 1
        case UInt8(ascii: ","):
          p = Self.skipBlanks(p + 1)
          if isObject {
            guard let place = nameAndColon(p) else { return nil }
            p = place
          }
          continue nextValue
        default: return fail(.malformed, at: p)
        }
      }
      return p
    }
  }

  /// Reads a member's name, whose opening quote is at `start`, and the colon; returns the first
  /// byte of its value.
  private mutating func nameAndColon(_ start: Bytes) -> Bytes? {
    var isEscaped = false
    guard start.pointee == UInt8(ascii: "\"") else { return fail(.malformed, at: start) }
    guard let close = string(start + 1, isEscaped: &isEscaped) else { return nil }
    let colon = Self.skipBlanks(close + 1)
    guard colon.pointee == UInt8(ascii: ":") else { return fail(.malformed, at: colon) }
    return Self.skipBlanks(colon + 1)
  }
}
