import CZstd
import Parquet
import Testing

@Suite("Frames of numbers that follow each other")
struct NumberFramesTests {
  private func frame(_ numbers: [Int64]) -> [UInt8]? {
    let source = Memory(numbers)
    var frames = NumberFrames()
    let size = numbers.count * 8
    let target = UnsafeMutableRawBufferPointer.allocate(
      byteCount: ZSTD_compressBound(size) + 64, alignment: 16)
    defer { target.deallocate() }
    guard
      let written = frames.write(UnsafeRawBufferPointer(source.buffer), to: target.baseAddress!)
    else { return nil }
    #expect(written < size)
    return Array(target[..<written])
  }

  /// What the library reads from a frame.
  private func content(_ frame: [UInt8]) -> [Int64]? {
    let size = Int(ZSTD_getFrameContentSize(frame, frame.count))
    guard size >= 0, size < 1 << 30 else { return nil }
    var numbers = [Int64](repeating: 0, count: size / 8)
    let read = ZSTD_decompress(&numbers, size, frame, frame.count)
    return ZSTD_isError(read) == 0 && read == size ? numbers : nil
  }

  private func expectSame(_ numbers: [Int64], mostBytes: Int = .max) throws {
    let frame = try #require(self.frame(numbers))
    #expect(content(frame) == numbers)
    #expect(frame.count <= mostBytes)
  }

  @Test(
    "numbers that count up take next to nothing, wherever they begin", arguments: [512, 131_072])
  func counting(count: Int64) throws {
    for first: Int64 in [0, 1, 200, 65_000, 16_777_000, -300, .max - 200_000] {
      try expectSame((0..<count).map { first + $0 }, mostBytes: 700 + Int(count) / 8)
    }
  }

  @Test(
    "lines of one object after another are copied", arguments: [1, 17, 25, 255, 256, 257, 50_000])
  func restarts(lines: Int64) throws {
    try expectSame((0..<131_072).map { 1 + $0 % lines }, mostBytes: 8_192)
    // The first object was begun before.
    try expectSame((0..<131_072).map { 1 + ($0 + 12_345) % lines }, mostBytes: 8_192)
  }

  @Test("instants keep their low bytes alone")
  func instants() throws {
    var generator = SeededGenerator(seed: 5)
    var micros: Int64 = 1_756_684_800_000_000
    let numbers = (0..<100_000).map { _ in
      micros += Int64.random(in: 0..<100_000, using: &generator)
      return micros
    }
    try expectSame(numbers, mostBytes: 330_000)
  }

  @Test("zstd reads whatever is written, of numbers of many habits", arguments: 0..<200)
  func habits(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var numbers: [Int64] = []
    let count = Int.random(in: 512...40_000, using: &generator)
    while numbers.count < count {
      let last = numbers.last ?? Int64.random(in: 0...1 << 40, using: &generator)
      let length = min(count - numbers.count, 1 << Int.random(in: 0...14, using: &generator))
      let habit = Int.random(in: 0..<7, using: &generator)
      for step in 0..<Int64(length) {
        switch habit {
        case 0: numbers.append(last &+ step &+ 1)
        case 1: numbers.append(step &+ 1)
        case 2: numbers.append((numbers.last ?? 0) &+ Int64.random(in: 0..<999, using: &generator))
        case 3: numbers.append(last & ~0xFF00 | Int64.random(in: 0..<256, using: &generator) << 8)
        case 4: numbers.append(numbers.count > 300 ? numbers[numbers.count - 300] : 7)
        case 5: numbers.append(last &+ step &* 256)
        default:
          numbers.append(
            length < 40 ? Int64.random(in: .min ... .max, using: &generator) : last)
        }
      }
    }
    guard let frame = frame(numbers) else { return }
    #expect(content(frame) == numbers)
  }

  @Test("noise and few numbers are left to the library")
  func refusals() {
    var generator = SeededGenerator(seed: 9)
    let noise = (0..<10_000).map { _ in Int64.random(in: .min ... .max, using: &generator) }
    #expect(frame(noise) == nil, "there is nothing to gain")
    #expect(frame([1, 2, 3]) == nil, "too few")
  }
}
