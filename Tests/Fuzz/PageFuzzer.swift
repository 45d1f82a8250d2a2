// A libFuzzer target for the zstd frames that are written without the library, compiled together with
// Sources/Parquet by scripts/fuzz.
//
// Any bytes make a page: what is written of it the library must read as that page. The address
// sanitizer watches the unsafe code; pages and frames end where their memory ends.
import CZstd

/// Takes what makes a page from the fuzzer's bytes, over and over.
private struct Source {
  let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private var round: UInt8 = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func next() -> UInt8 {
    if place == bytes.count {
      place = 0
      round &+= 1
    }
    place += 1
    // Each round differs from the one before, or a page would be one repeat.
    return bytes[place - 1] ^ (round &* 29 & bytes[0])
  }

  mutating func next(below limit: Int) -> Int { (Int(next()) << 8 | Int(next())) % limit }
}

/// Texts, each behind its length, which is mostly the same.
private func texts(_ source: inout Source) -> (page: [UInt8], width: Int) {
  let length = 1 + source.next(below: 1100)
  let count = 1 + source.next(below: 400)
  let alphabet = source.next() | 0x0F
  let oddOnes = source.next() & 7
  var page: [UInt8] = []
  for row in 0..<count {
    let isOdd = oddOnes == 1 && row > 0 && source.next() == 7
    let told = isOdd ? length ^ 1 : length
    withUnsafeBytes(of: UInt32(told).littleEndian) { page += $0 }
    for _ in 0..<length { page.append(source.next() & alphabet) }
  }
  return (page, length + 4)
}

/// Numbers of many habits, one after the other.
private func numbers(_ source: inout Source) -> [UInt64] {
  let count = source.next(below: 40_000)
  var numbers: [UInt64] = []
  while numbers.count < count {
    let habit = source.next() % 8
    let length = 1 << Int(source.next() % 15)
    let last = numbers.last ?? 0
    let step = UInt64(source.next())
    for row in 0..<UInt64(min(length, count - numbers.count)) {
      switch habit {
      case 0: numbers.append(last &+ row &+ 1)
      case 1: numbers.append(row &+ 1)
      case 2: numbers.append((numbers.last ?? 0) &+ UInt64(source.next()) &* step)
      case 3: numbers.append(last & ~0xFF00 | UInt64(source.next()) << 8)
      case 4: numbers.append(numbers.count > 300 ? numbers[numbers.count - 300] : step)
      case 5: numbers.append(last &+ row &* 256)
      case 6: numbers.append(last &* 0x9E37_79B9_7F4A_7C15 &+ row &* step)
      default: numbers.append(last)
      }
    }
  }
  return numbers
}

/// Has `write` make a frame of a page, and the library read it.
private func check(
  _ page: UnsafeRawBufferPointer,
  _ write: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) -> Int?
) {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: page.count, alignment: 1)
  copy.copyMemory(from: page)
  let room = ZSTD_compressBound(page.count)
  let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
  let content = UnsafeMutableRawBufferPointer.allocate(byteCount: page.count, alignment: 1)
  defer {
    copy.deallocate()
    frame.deallocate()
    content.deallocate()
  }
  guard let size = write(UnsafeRawBufferPointer(copy), frame.baseAddress!) else { return }
  precondition(size <= page.count, "a frame is longer than its page")
  precondition(ZSTD_getFrameContentSize(frame.baseAddress, size) == page.count)
  let read = ZSTD_decompress(content.baseAddress, page.count, frame.baseAddress, size)
  precondition(
    read == page.count && content.elementsEqual(page), "the library reads another page")
}

// Their memory goes from page to page, as in a file.
nonisolated(unsafe) private var fixedTexts = FixedTextFrames()
nonisolated(unsafe) private var numberFrames = NumberFrames()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard count > 1 else { return 0 }
  var source = Source(UnsafeBufferPointer(start: start, count: count))
  if source.next() & 1 == 0 {
    let (page, width) = texts(&source)
    page.withUnsafeBytes {
      check($0) { fixedTexts.write($0, width: width, to: $1) }
    }
  } else {
    numbers(&source).withUnsafeBytes {
      check($0) { numberFrames.write($0, to: $1) }
    }
  }
  return 0
}
