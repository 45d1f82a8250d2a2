/// Writes pages of texts of one length as zstd frames, without the library: RFC 8878.
///
/// Random ids are most of a file, and nothing in them repeats but the length in front of each. So
/// there is nothing to search: every text becomes its bytes in a Huffman code, and a repeat of the
/// four bytes of its length. These are all alike, so one is described, and the others only counted
/// (`RLE_Mode`). As small as what the library makes of it, in a third of the time.
/// ```
/// frame  =  header, first block, block, block ...
/// first  =  a length and its text as they are; a repeat of the length
/// block  =  text, repeat of the length; text, repeat of the length ... as many as it may hold
/// last   =  the same, ending with a text
/// ```
package struct FixedTextFrames: ~Copyable {
  private var code = HuffmanCode()
  /// The texts of a block, without their lengths.
  private var literals = ByteBuffer()

  /// The fewest and most bytes of a text with its length.
  private static let widths = 20...1024
  private static let lengthBytes = 4
  /// What is smaller does not repay the tree of the code.
  private static let fewestBytes = 4096
  private static let mostBlockBytes = 128 << 10
  /// Of so many texts one is looked at to make the code.
  private static let sampled = 32

  package init() {}

  /// The bytes of a text with its length, if all texts can have the length of the first.
  static func width(of page: UnsafeRawBufferPointer, count: Int) -> Int? {
    guard count > 1, page.count % count == 0 else { return nil }
    let width = page.count / count
    return widths.contains(width) ? width : nil
  }

  /// Writes a page of texts, each behind its length, as one frame; gives its size, or nil, and what
  /// is at `target` means nothing, if they are not all of that length, or a rare byte has no code.
  ///
  /// - Parameter target: with room for what the library would ask for: a code has seven bits at
  ///   most, so no frame is longer than its page.
  package mutating func write(
    _ page: UnsafeRawBufferPointer, width: Int, to target: UnsafeMutableRawPointer
  ) -> Int? {
    let count = page.count / width
    guard page.count >= Self.fewestBytes, page.count == count * width, Self.widths.contains(width),
      let source = page.baseAddress, let size = UInt32(exactly: page.count),
      Self.length(source) == width - Self.lengthBytes, makeCode(source, count, width)
    else { return nil }
    // The magic number; one segment, its size in four bytes.
    target.storeBytes(of: UInt32(0xFD2F_B528).littleEndian, as: UInt32.self)
    target.storeBytes(of: 0b1010_0000, toByteOffset: 4, as: UInt8.self)
    target.storeBytes(of: size.littleEndian, toByteOffset: 5, as: UInt32.self)
    var out = Self.writeFirst(source, width, to: target + 9)
    let mostTexts = Self.mostBlockBytes / width
    var text = 1
    while text < count {
      let texts = min(mostTexts, count - text)
      let place = Place(isFirst: text == 1, isLast: text + texts == count)
      guard let end = writeBlock(source + text * width, texts, width, place, to: out) else {
        return nil
      }
      out = end
      text += texts
    }
    return out - target
  }

  /// Which of the blocks with texts it is.
  private struct Place {
    let isFirst: Bool
    let isLast: Bool
  }

  private static func length(_ text: UnsafeRawPointer) -> Int {
    Int(UInt32(littleEndian: text.loadUnaligned(as: UInt32.self)))
  }

  private mutating func makeCode(_ source: UnsafeRawPointer, _ count: Int, _ width: Int) -> Bool {
    var counts = Array(repeating: 0, count: 256)
    for text in stride(from: 0, to: count, by: Self.sampled) {
      for place in Self.lengthBytes..<width {
        counts[Int(source.load(fromByteOffset: text * width + place, as: UInt8.self))] += 1
      }
    }
    return code.build(counts: counts)
  }

  /// Writes the block of the first text, which says how far back its repeat is, and all others are.
  private static func writeFirst(
    _ source: UnsafeRawPointer, _ width: Int, to block: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var out = block + 3
    // Raw_Literals_Block, its size in twelve bits.
    out.storeBytes(of: UInt16(width << 4 | 0b0100).littleEndian, as: UInt16.self)
    out += 2
    out.copyMemory(from: source, byteCount: width)
    out += width
    // A distance is told with three added, since lower numbers say "as before".
    writeSequences(1, .literals(width), distance: .number(width + 3), to: &out)
    writeHeader(of: block, upTo: out, isLast: false)
    return out
  }

  /// Writes texts, and behind each the repeat of its successor's length, if there is one.
  private mutating func writeBlock(
    _ source: UnsafeRawPointer, _ texts: Int, _ width: Int, _ place: Place,
    to block: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    let textBytes = width - Self.lengthBytes
    let count = texts * textBytes
    guard gather(source, texts, width) else { return nil }
    // Compressed_Literals_Block with its tree, or Treeless_Literals_Block by the one before; four
    // streams, both sizes in eighteen bits.
    let header = block + 3
    var out = header + 5
    if place.isFirst {
      code.tree.withUnsafeBytes { out.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      out += code.tree.count
    }
    let bytes = UnsafeRawPointer(literals.start).assumingMemoryBound(to: UInt8.self)
    guard let end = code.encode(bytes, count: count, to: out) else { return nil }
    let kind: UInt64 = place.isFirst ? 0b1110 : 0b1111
    let sizes = kind | UInt64(count) << 4 | UInt64(end - header - 5) << 22
    header.storeBytes(of: UInt32(truncatingIfNeeded: sizes).littleEndian, as: UInt32.self)
    header.storeBytes(of: UInt8(sizes >> 32), toByteOffset: 4, as: UInt8.self)
    out = end
    Self.writeSequences(
      place.isLast ? texts - 1 : texts, .literals(textBytes), distance: .asBefore, to: &out)
    guard out - block - 3 < Self.mostBlockBytes else { return nil }
    Self.writeHeader(of: block, upTo: out, isLast: place.isLast)
    return out
  }

  /// Puts the texts one behind the other; false if one has not the length that all should have.
  private mutating func gather(_ source: UnsafeRawPointer, _ texts: Int, _ width: Int) -> Bool {
    typealias Block = SIMD2<UInt64>
    let textBytes = width - Self.lengthBytes
    literals.count = 0
    literals.reserve(texts * textBytes)
    var target = literals.start
    var place = source
    var hasOther = false
    for _ in 0..<texts {
      if Self.length(place) != textBytes { hasOther = true }
      // The last block overlaps the one before: nothing is read or written past the text.
      let text = place + Self.lengthBytes
      let last = textBytes &- 16
      target.storeBytes(
        of: text.loadUnaligned(fromByteOffset: last, as: Block.self), toByteOffset: last,
        as: Block.self)
      var offset = 0
      while offset < last {
        target.storeBytes(
          of: text.loadUnaligned(fromByteOffset: offset, as: Block.self), toByteOffset: offset,
          as: Block.self)
        offset &+= 16
      }
      target += textBytes
      place += width
    }
    return !hasOther
  }

  // MARK: The parts of a block

  /// A number as the decoder reads it: a code, and more bits that are added to what it stands for.
  private struct CodedNumber {
    var code: Int
    var extra = 0
    var extraBits = 0

    /// So many literals: RFC 8878, section 3.1.1.3.2.1.1.
    static func literals(_ count: Int) -> CodedNumber {
      guard count >= 16 else { return CodedNumber(code: count) }
      let bases = [16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048]
      let bits = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11]
      let index = bases.lastIndex { $0 <= count } ?? 0
      return CodedNumber(code: 16 + index, extra: count - bases[index], extraBits: bits[index])
    }

    /// A power of two, and what is more.
    static func number(_ number: Int) -> CodedNumber {
      let bits = Int.bitWidth - 1 - number.leadingZeroBitCount
      return CodedNumber(code: bits, extra: number - 1 << bits, extraBits: bits)
    }

    /// The distance of the repeat before.
    static let asBefore = CodedNumber(code: 0)
  }

  /// Writes that so many times there are so many literals and then a repeat of four bytes.
  private static func writeSequences(
    _ count: Int, _ literals: CodedNumber, distance: CodedNumber,
    to out: inout UnsafeMutableRawPointer
  ) {
    func append(_ byte: Int) {
      out.storeBytes(of: UInt8(truncatingIfNeeded: byte), as: UInt8.self)
      out += 1
    }
    if count < 128 {
      append(count)
    } else {
      append(128 + count >> 8)
      append(count)
    }
    guard count > 0 else { return }
    // RLE_Mode for all three, and their codes; four bytes are the repeat of code 1.
    append(0b0101_0100)
    append(literals.code)
    append(distance.code)
    append(1)
    // Read from its end: what is added to the distance comes before what is to the literals.
    let extra = literals.extra | distance.extra << literals.extraBits
    let extraBits = literals.extraBits + distance.extraBits
    var word = 0
    var filled = 0
    for _ in 0..<count {
      word |= extra << filled
      filled += extraBits
      while filled >= 8 {
        append(word)
        word >>= 8
        filled -= 8
      }
    }
    append(word | 1 << filled)
  }

  /// Compressed_Block, and its size.
  private static func writeHeader(
    of block: UnsafeMutableRawPointer, upTo end: UnsafeMutableRawPointer, isLast: Bool
  ) {
    let header = (end - block - 3) << 3 | 0b100 | (isLast ? 1 : 0)
    block.storeBytes(of: UInt16(truncatingIfNeeded: header).littleEndian, as: UInt16.self)
    block.storeBytes(of: UInt8(truncatingIfNeeded: header >> 16), toByteOffset: 2, as: UInt8.self)
  }
}
