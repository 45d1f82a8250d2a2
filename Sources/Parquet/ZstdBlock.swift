/// The parts of a zstd frame that is written without the library: RFC 8878, section 3.
///
/// Who writes one knows where its repeats are. All repeats of a block are alike: so many literal
/// bytes, and then so many that stood so far back. One is described then, and the others only
/// counted (`RLE_Mode`).
///
/// Who calls has room for what is written, and eight bytes more.
enum ZstdBlock {
  /// The most bytes that a block stands for.
  static let mostBytes = 128 << 10
  static let headerBytes = 3

  /// Writes the magic number, and a header that says one segment and its size; gives their end.
  static func writeFrameHeader(
    size: UInt32, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    target.storeBytes(of: UInt32(0xFD2F_B528).littleEndian, as: UInt32.self)
    target.storeBytes(of: 0b1010_0000, toByteOffset: 4, as: UInt8.self)
    target.storeBytes(of: size.littleEndian, toByteOffset: 5, as: UInt32.self)
    return target + 9
  }

  /// Writes the header of a block whose parts stand behind it.
  static func writeHeader(
    of block: UnsafeMutableRawPointer, upTo end: UnsafeMutableRawPointer, isLast: Bool = false
  ) {
    store((end - block - headerBytes) << 3 | 0b100 | (isLast ? 1 : 0), bytes: 3, at: block)
  }

  /// Writes a block of bytes as they are.
  static func writeRaw(
    _ bytes: UnsafeRawPointer, count: Int, isLast: Bool = false,
    to out: inout UnsafeMutableRawPointer
  ) {
    append(count << 3 | (isLast ? 1 : 0), bytes: 3, to: &out)
    out.copyMemory(from: bytes, byteCount: count)
    out += count
  }

  /// How the literals of a block are told.
  enum LiteralsKind: Int {
    case raw = 0
    /// One byte that stands for all.
    case repeated = 1
  }

  /// Writes what comes before literals that are not coded.
  static func writeLiteralsHeader(
    _ kind: LiteralsKind, count: Int, to out: inout UnsafeMutableRawPointer
  ) {
    if count < 1 << 12 {
      append(count << 4 | 0b0100 | kind.rawValue, bytes: 2, to: &out)
    } else {
      append(count << 4 | 0b1100 | kind.rawValue, bytes: 3, to: &out)
    }
  }

  /// Writes the header of literals in a Huffman code, whose `size` bytes follow it.
  ///
  /// - Parameter hasTree: false if their tree is that of the block before.
  static func writeLiteralsHeader(
    count: Int, size: Int, hasTree: Bool, at target: UnsafeMutableRawPointer
  ) {
    // Four streams, both numbers in eighteen bits.
    store((hasTree ? 0b1110 : 0b1111) | count << 4 | size << 22, bytes: 5, at: target)
  }
  static let codedLiteralsHeaderBytes = 5

  /// A number as the decoder reads it: a code, and more bits, which are added to what it stands for.
  struct CodedNumber {
    var code: Int
    var extra = 0
    var extraBits = 0

    /// So many literals: RFC 8878, section 3.1.1.3.2.1.1.
    static func literals(_ count: Int) -> CodedNumber {
      count < 16 ? CodedNumber(code: count) : CodedNumber(16, count, literalBases, literalBits)
    }

    /// So many bytes that are repeated, three or more: the same section.
    static func match(_ count: Int) -> CodedNumber {
      count < 35 ? CodedNumber(code: count - 3) : CodedNumber(32, count, matchBases, matchBits)
    }

    /// So far back.
    static func distance(_ bytes: Int) -> CodedNumber {
      // Three is added, since lower numbers say "as before".
      let number = bytes + 3
      let bits = Int.bitWidth - 1 - number.leadingZeroBitCount
      return CodedNumber(code: bits, extra: number - 1 << bits, extraBits: bits)
    }

    /// As far back as the repeat before; not for one without literals.
    static let asBefore = CodedNumber(code: 0)

    private init(code: Int, extra: Int = 0, extraBits: Int = 0) {
      self.code = code
      self.extra = extra
      self.extraBits = extraBits
    }

    private init(_ first: Int, _ number: Int, _ bases: [Int], _ bits: [Int]) {
      let index = bases.lastIndex { $0 <= number } ?? 0
      self.init(code: first + index, extra: number - bases[index], extraBits: bits[index])
    }

    private static let literalBases = [
      16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
      65536,
    ]
    private static let literalBits = [
      1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ]
    private static let matchBases = [
      35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387,
      32771, 65539,
    ]
    private static let matchBits = [
      1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    ]
  }

  /// Writes that so many times there are so many literals and then so long a repeat.
  static func writeSequences(
    _ count: Int, _ literals: CodedNumber, _ match: CodedNumber, _ distance: CodedNumber,
    to out: inout UnsafeMutableRawPointer
  ) {
    if count < 128 {
      append(count, bytes: 1, to: &out)
    } else {
      append(128 | count >> 8 | count << 8, bytes: 2, to: &out)
    }
    guard count > 0 else { return }
    append(0b0101_0100, bytes: 1, to: &out)
    append(literals.code | distance.code << 8 | match.code << 16, bytes: 3, to: &out)
    // Read from its end: what is added to the distance first, then to the match, then the literals.
    let extra =
      literals.extra | match.extra << literals.extraBits
      | distance.extra << (literals.extraBits + match.extraBits)
    let extraBits = literals.extraBits + match.extraBits + distance.extraBits
    var word = 0
    var filled = 0
    if extraBits > 0 {
      for _ in 0..<count {
        word |= extra << filled
        filled += extraBits
        append(word, bytes: 8, to: &out)
        out -= 8 - filled / 8
        word >>= filled & ~7
        filled &= 7
      }
    }
    append(word | 1 << filled, bytes: 1, to: &out)
  }

  // MARK: -

  /// Stores the low bytes of a number, the least significant one first.
  private static func store(_ number: Int, bytes: Int, at target: UnsafeMutableRawPointer) {
    withUnsafeBytes(of: UInt64(truncatingIfNeeded: number).littleEndian) {
      target.copyMemory(from: $0.baseAddress!, byteCount: bytes)
    }
  }

  @inline(__always)
  private static func append(_ number: Int, bytes: Int, to out: inout UnsafeMutableRawPointer) {
    store(number, bytes: bytes, at: out)
    out += bytes
  }
}
