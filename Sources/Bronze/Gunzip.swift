import CISAL

/// Undoes gzip (RFC 1952), member after member, in bounded memory.
///
/// By ISA-L, which takes a little more than a third of zlib's time.
final class Gunzip {
  private let stream = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
  private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private var hasBegun = false
  private var isInMember = false
  private var outputWasFull = false
  private var packedBytes = 0
  private var unpackedBytes = 0

  /// What unpacks to more than this, and to so many times its size, is a bomb: NDJSON packs to a
  /// tenth or a fiftieth.
  private static let bombBytes = 256 << 20
  private static let bombRatio = 250
  /// No object may unpack to more.
  private static let mostBytes = 64 << 30

  init() {
    isal_inflate_init(stream)
    stream.pointee.crc_flag = UInt32(ISAL_GZIP)
  }

  deinit {
    stream.deallocate()
    output.deallocate()
  }

  /// Whether what was given may unpack to more.
  var hasMore: Bool { stream.pointee.avail_in > 0 || outputWasFull }

  /// Takes packed bytes, which have to stay valid until `hasMore` is false.
  func give(_ input: UnsafeRawBufferPointer) {
    guard let start = input.baseAddress else { return }
    packedBytes += input.count
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: start.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(input.count)
  }

  /// Hands on the next piece that the bytes unpack to: of bounded size, so that whoever collects
  /// what it becomes can make room in between.
  func unpack(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    outputWasFull = false
    if !isInMember {
      // Zeros may pad what follows a member; anything else there begins another one.
      while hasBegun, stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
        stream.pointee.next_in += 1
        stream.pointee.avail_in -= 1
      }
      guard stream.pointee.avail_in > 0 else { return }
      // What is something else is told from what ends too soon.
      guard stream.pointee.next_in[0] == 0x1F,
        stream.pointee.avail_in == 1 || stream.pointee.next_in[1] == 0x8B
      else { throw RawObjectFault(reason: .corruptGzip) }
      hasBegun = true
      isInMember = true
    }
    stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(output.count)
    let given = stream.pointee.avail_in
    let status = isal_inflate(stream)
    let count = output.count - Int(stream.pointee.avail_out)
    // Whatever the data, each step takes or makes some of it.
    guard status == ISAL_DECOMP_OK, given == 0 || stream.pointee.avail_in < given || count > 0
    else { throw RawObjectFault(reason: .corruptGzip) }
    unpackedBytes += count
    guard
      unpackedBytes <= Self.bombBytes
        || unpackedBytes <= min(Self.mostBytes, packedBytes * Self.bombRatio)
    else { throw RawObjectFault(reason: .gzipBomb) }
    outputWasFull = stream.pointee.avail_out == 0
    try body(UnsafeRawBufferPointer(rebasing: output[..<count]))
    if stream.pointee.block_state == ISAL_BLOCK_FINISH {
      isInMember = false
      outputWasFull = false
      isal_inflate_reset(stream)
    }
  }

  /// Throws if the data ended in the middle.
  func finish() throws {
    if isInMember || !hasBegun { throw RawObjectFault(reason: .truncatedGzip) }
  }
}
