/// What is known of a line whose end has not come yet: its bytes, or if it has become too long,
/// its first ones and what a verdict needs.
struct LineCarry: ~Copyable {
  private(set) var buffer = ByteBuffer(capacity: 4096)
  /// Bytes of the line so far, kept or not.
  private(set) var length: Int64 = 0
  private var lastByte: UInt8 = 0
  /// Where the first byte that is neither a blank nor a tab stands, once the line is too long.
  private var firstNonBlank: Int64?

  /// Whether the line is longer than any that is kept: the longest allowed and a carriage return.
  var isTooLong: Bool { length > Int64(LineDecoder.longestLineBytes) + 1 }

  /// The line's length without a carriage return at its end.
  var lengthWithoutReturn: Int64 { endsInReturn ? length - 1 : length }

  private var endsInReturn: Bool { length > 0 && lastByte == ByteScan.carriageReturn }

  /// Whether a line that is too long is nothing but blanks and tabs, and a carriage return.
  var isBlankThoughTooLong: Bool {
    guard let firstNonBlank else { return true }
    return endsInReturn && firstNonBlank == length - 1
  }

  mutating func append(_ start: Bytes, _ end: Bytes) {
    guard end > start else { return }
    let wasTooLong = isTooLong
    let position = length
    length += Int64(end - start)
    lastByte = end[-1]
    guard isTooLong else {
      buffer.append(start, count: end - start)
      return
    }
    if !wasTooLong {
      let kept = Bytes(buffer.start)
      let place = ByteScan.firstNonBlank(from: kept, to: kept + buffer.count)
      if place < kept + buffer.count { firstNonBlank = Int64(place - kept) }
      let room = QuarantineBuffer.longestExcerptBytes - buffer.count
      if room > 0 { buffer.append(start, count: min(room, end - start)) }
    }
    if firstNonBlank == nil {
      let place = ByteScan.firstNonBlank(from: start, to: end)
      if place < end { firstNonBlank = position + Int64(place - start) }
    }
  }

  /// Puts a line feed behind the bytes, as the scanner wants it.
  mutating func terminate() {
    buffer.append(ByteScan.lineFeed)
    buffer.count -= 1
  }

  mutating func removeAll() {
    buffer.count = 0
    length = 0
    lastByte = 0
    firstNonBlank = nil
  }
}
