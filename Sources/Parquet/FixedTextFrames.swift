/// Writes pages of texts of one length as zstd frames, without the library: RFC 8878.
///
/// Random ids are most of a file, and nothing in them repeats but the length in front of each. So
/// there is nothing to search: every text becomes its bytes in a Huffman code, and a repeat of the
/// four bytes of its length. As small as what the library makes of it, in a third of the time.
/// ```
/// frame  =  header, first block, block, block ...
/// first  =  a length and its text as they are; a repeat of the length
/// block  =  text, repeat of the length; text, repeat of the length ... as many as it may hold
/// last   =  the same, ending with a text
/// ```
/// Pointers instead of arrays: sound, since texts are read within the page alone, whose size is
/// `count` times `width`, and no block is longer than what it stands for.
package struct FixedTextFrames: ~Copyable {
  private var code = HuffmanCode()
  /// The texts of a block, without their lengths.
  private var literals = ByteBuffer()

  /// The fewest and most bytes of a text with its length.
  private static let widths = 20...1024
  private static let lengthBytes = 4
  /// What is smaller does not repay the tree of the code.
  private static let fewestBytes = 4096
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
    var out = ZstdBlock.writeFrameHeader(size: size, to: target)
    out = Self.writeFirst(source, width, to: out)
    let mostTexts = ZstdBlock.mostBytes / width
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
    var out = block + ZstdBlock.headerBytes
    ZstdBlock.writeLiteralsHeader(.raw, count: width, to: &out)
    out.copyMemory(from: source, byteCount: width)
    out += width
    ZstdBlock.writeSequences(
      1, .literals(width), .match(lengthBytes), .distance(width), to: &out)
    ZstdBlock.writeHeader(of: block, upTo: out)
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
    let header = block + ZstdBlock.headerBytes
    let coded = header + ZstdBlock.codedLiteralsHeaderBytes
    var out = coded
    if place.isFirst {
      code.tree.withUnsafeBytes { out.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      out += code.tree.count
    }
    let bytes = UnsafeRawPointer(literals.start).assumingMemoryBound(to: UInt8.self)
    guard let end = code.encode(bytes, count: count, to: out) else { return nil }
    ZstdBlock.writeLiteralsHeader(
      count: count, size: end - coded, hasTree: place.isFirst, at: header)
    out = end
    ZstdBlock.writeSequences(
      place.isLast ? texts - 1 : texts, .literals(textBytes), .match(Self.lengthBytes), .asBefore,
      to: &out)
    guard out - header < ZstdBlock.mostBytes else { return nil }
    ZstdBlock.writeHeader(of: block, upTo: out, isLast: place.isLast)
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
}
