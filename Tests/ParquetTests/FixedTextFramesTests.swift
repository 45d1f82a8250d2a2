import CZstd
import Parquet
import Testing

@Suite("Frames of texts of one length")
struct FixedTextFramesTests {
  private static let hexadecimal = Array("0123456789abcdef".utf8)

  /// A page of texts, each behind its length.
  private func page(_ texts: [[UInt8]]) -> [UInt8] {
    texts.flatMap { text in
      withUnsafeBytes(of: UInt32(text.count).littleEndian, Array.init) + text
    }
  }

  private func texts(
    _ count: Int, length: Int, of alphabet: [UInt8], _ generator: inout SeededGenerator
  ) -> [[UInt8]] {
    (0..<count).map { _ in
      (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
    }
  }

  private func uuids(_ count: Int, _ generator: inout SeededGenerator) -> [[UInt8]] {
    texts(count, length: 36, of: Self.hexadecimal, &generator).map { digits in
      var text = digits
      for place in [8, 13, 18, 23] { text[place] = UInt8(ascii: "-") }
      text[14] = UInt8(ascii: "4")
      return text
    }
  }

  private func frame(_ page: [UInt8], width: Int) -> [UInt8]? {
    // Exactly as many bytes as were given, so that a tool for memory errors sees a read past them.
    let source = Memory(page)
    var frames = FixedTextFrames()
    let room = ZSTD_compressBound(page.count)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: room + 64, alignment: 16)
    defer { target.deallocate() }
    guard
      let size = frames.write(
        UnsafeRawBufferPointer(source.buffer), width: width, to: target.baseAddress!)
    else { return nil }
    #expect(size <= page.count)
    return Array(target[..<size])
  }

  /// What the library reads from a frame.
  private func content(_ frame: [UInt8]) -> [UInt8]? {
    let size = ZSTD_getFrameContentSize(frame, frame.count)
    guard size < 1 << 30 else { return nil }
    var content = [UInt8](repeating: 0, count: Int(size))
    let read = ZSTD_decompress(&content, content.count, frame, frame.count)
    return ZSTD_isError(read) == 0 && read == content.count ? content : nil
  }

  @Test(
    "zstd reads texts of any number, length and alphabet",
    arguments: [5, 63, 128, 129, 256, 3_276, 3_277, 3_278, 20_000],
    [16, 17, 31, 36, 63, 255, 1_020])
  func roundTrip(count: Int, length: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count * 1_000 + length))
    for alphabet in [Array("ab".utf8), Self.hexadecimal, Array(0..<127), Array(32...100)] {
      var written = texts(count, length: length, of: alphabet, &generator)
      // Whatever is looked at to make the code, the first text is.
      for (place, byte) in alphabet.prefix(length).enumerated() { written[0][place] = byte }
      let page = page(written)
      guard let frame = self.frame(page, width: length + 4) else {
        #expect(
          page.count < 4096 || alphabet.count > length,
          "a byte had no code though all were in the first text")
        continue
      }
      #expect(content(frame) == page)
    }
  }

  @Test("ids are smaller than the library makes them at level 1")
  func size() throws {
    var generator = SeededGenerator(seed: 1)
    let page = page(uuids(26_000, &generator))
    let frame = try #require(self.frame(page, width: 40))
    #expect(content(frame) == page)
    var usual = [UInt8](repeating: 0, count: ZSTD_compressBound(page.count))
    let size = ZSTD_compress(&usual, usual.count, page, page.count, 1)
    #expect(frame.count < size)
  }

  @Test("rare bytes have long codes, and none is too long")
  func skewed() throws {
    // Fibonacci numbers make the longest codes there are.
    var counts = [1, 1]
    while counts.count < 22 { counts.append(counts[counts.count - 1] + counts[counts.count - 2]) }
    var bytes = counts.indices.flatMap { [UInt8](repeating: UInt8(65 + $0), count: counts[$0]) }
    var generator = SeededGenerator(seed: 2)
    bytes.shuffle(using: &generator)
    bytes.replaceSubrange(0..<22, with: (65..<87).map { UInt8($0) })
    let written = stride(from: 0, to: bytes.count - 32, by: 32).map { Array(bytes[$0..<$0 + 32]) }
    let page = page(written)
    let frame = try #require(self.frame(page, width: 36))
    #expect(content(frame) == page)
  }

  @Test("what is not of one length, or has no code, is left to the library")
  func refusals() {
    var generator = SeededGenerator(seed: 3)
    let ids = uuids(5_000, &generator)
    #expect(frame(page(ids), width: 40) != nil)
    var other = ids
    other[4_321][7] = UInt8(ascii: "z")
    #expect(frame(page(other), width: 40) == nil, "a byte that none of those looked at has")
    other = ids
    other[17].removeLast()
    other[18].append(UInt8(ascii: "a"))
    #expect(frame(page(other), width: 40) == nil, "lengths that only add up")
    #expect(frame(page([ids[0]]), width: 40) == nil, "one text")
    #expect(frame([], width: 40) == nil)
    #expect(frame(page(ids), width: 80) == nil, "another width")
    #expect(frame(page(ids.map { _ in Array(repeating: 97, count: 36) }), width: 40) == nil)
    let foreign = texts(5_000, length: 36, of: Array(100...200), &generator)
    #expect(frame(page(foreign), width: 40) == nil, "bytes outside ASCII")
  }
}
