import CZlib

/// Undoes gzip (RFC 1952), member after member, in bounded memory.
final class Gunzip {
  private var stream = z_stream()
  private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
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
    // 16 + 15: a gzip header, and the largest window.
    inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    inflateEnd(&stream)
    output.deallocate()
  }

  /// Whether what was given may unpack to more.
  var hasMore: Bool { stream.avail_in > 0 || outputWasFull }

  /// Takes packed bytes, which have to stay valid until `hasMore` is false.
  func give(_ input: UnsafeRawBufferPointer) {
    guard let start = input.baseAddress else { return }
    packedBytes += input.count
    stream.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = UInt32(input.count)
  }

  /// Hands on the next piece that the bytes unpack to: of bounded size, so that whoever collects
  /// what it becomes can make room in between.
  func unpack(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    outputWasFull = false
    if !isInMember {
      // Zeros may pad what follows a member; anything else there begins another one.
      while stream.total_in > 0, stream.avail_in > 0, stream.next_in.pointee == 0 {
        stream.next_in += 1
        stream.avail_in -= 1
      }
      guard stream.avail_in > 0 else { return }
      isInMember = true
    }
    stream.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(output.count)
    let status = inflate(&stream, Z_NO_FLUSH)
    guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
      throw RawObjectFault(reason: .corruptGzip)
    }
    let count = output.count - Int(stream.avail_out)
    unpackedBytes += count
    guard
      unpackedBytes <= Self.bombBytes
        || unpackedBytes <= min(Self.mostBytes, packedBytes * Self.bombRatio)
    else { throw RawObjectFault(reason: .gzipBomb) }
    outputWasFull = stream.avail_out == 0
    try body(UnsafeRawBufferPointer(rebasing: output[..<count]))
    if status == Z_STREAM_END {
      isInMember = false
      outputWasFull = false
      let consumed = stream.total_in
      inflateReset(&stream)
      stream.total_in = consumed
    }
  }

  /// Throws if the data ended in the middle.
  func finish() throws {
    if isInMember || stream.total_in == 0 { throw RawObjectFault(reason: .truncatedGzip) }
  }
}
