import CZstd

/// Where values of one width repeat the value before them: said to zstd instead of searched by it.
///
/// Source: `ZSTD_compressSequences` in zstd.h. A sequence is so many literal bytes and then so many
/// that are equal to those `offset` bytes back; one without a match ends a block.
struct StridedRepeats: Equatable {
  enum Part {
    /// Each value begins with the same four bytes: the length of a text.
    case head
    /// The high bytes of a number, as far as they are those of the number before.
    case tail
  }

  /// Bytes of a value.
  let stride: Int
  let part: Part

  /// A block holds so many bytes at most; fewer, so that it ends with a value.
  private static let mostBlockBytes = 128 << 10
  /// The shortest match that a block may have.
  private static let shortestMatch = 3

  /// Texts that all have the length of the first, if they do: PLAIN, so each behind its length.
  static func ofTexts(_ page: UnsafeRawBufferPointer, count: Int) -> StridedRepeats? {
    guard count > 1, page.count % count == 0, let start = page.baseAddress else { return nil }
    let stride = page.count / count
    guard (8...4096).contains(stride) else { return nil }
    let length = UInt32(stride - 4)
    for value in 0..<count
    where start.loadUnaligned(fromByteOffset: value * stride, as: UInt32.self) != length {
      return nil
    }
    return StridedRepeats(stride: stride, part: .head)
  }

  /// Writes the sequences of whole values to `target`, in place of what it holds; gives their number.
  func find(in source: UnsafeRawBufferPointer, to target: inout ByteBuffer) -> Int {
    let count = source.count / stride
    let perBlock = max(1, Self.mostBlockBytes / stride)
    let most = count + count / perBlock + 2
    let sequences = target.elements(most, of: ZSTD_Sequence.self)
    var out = sequences
    var literals = 0
    func emit(_ match: Int) {
      out.initialize(
        to: ZSTD_Sequence(
          offset: match > 0 ? UInt32(stride) : 0, litLength: UInt32(literals),
          matchLength: UInt32(match), rep: 0))
      out += 1
      literals = 0
    }
    guard let bytes = source.baseAddress else { return 0 }
    switch part {
    case .head:
      var previousHead: UInt32 = 0
      for value in 0..<count {
        if value > 0, value % perBlock == 0 { emit(0) }
        // zstd takes every repeat on trust, so it is looked at here, whoever found the stride.
        let head = bytes.loadUnaligned(fromByteOffset: value * stride, as: UInt32.self)
        if value > 0, head == previousHead {
          emit(4)
          literals = stride - 4
        } else {
          literals += stride
        }
        previousHead = head
      }
    case .tail:
      var previous: UInt64 = 0
      for value in 0..<count {
        if value > 0, value % perBlock == 0 { emit(0) }
        let number = bytes.loadUnaligned(fromByteOffset: value * 8, as: UInt64.self)
        let equal = (number ^ previous).leadingZeroBitCount >> 3
        previous = number
        if value > 0, equal >= Self.shortestMatch {
          literals += 8 - equal
          emit(equal)
        } else {
          literals += 8
        }
      }
    }
    literals += source.count - count * stride
    emit(0)
    return out - sequences
  }
}
