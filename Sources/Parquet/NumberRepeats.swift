import CZstd

/// Where numbers of eight bytes repeat the high bytes of the number before them: said to zstd
/// instead of searched by it.
///
/// Source: `ZSTD_compressSequences` in zstd.h. A sequence is so many literal bytes and then so many
/// that are equal to those `offset` bytes back; one without a match ends a block.
enum NumberRepeats {
  /// A block holds 128 KiB at most.
  private static let numbersPerBlock = (128 << 10) / 8
  /// The shortest match that a block may have.
  private static let shortestMatch = 3

  /// Writes the sequences to `target`, in place of what it holds; gives their number.
  static func find(in source: UnsafeRawBufferPointer, to target: inout ByteBuffer) -> Int {
    let count = source.count / 8
    guard let bytes = source.baseAddress else { return 0 }
    let sequences = target.elements(count + count / numbersPerBlock + 2, of: ZSTD_Sequence.self)
    var out = sequences
    var literals = 0
    func emit(_ match: Int) {
      out.initialize(
        to: ZSTD_Sequence(
          offset: match > 0 ? 8 : 0, litLength: UInt32(literals), matchLength: UInt32(match),
          rep: 0))
      out += 1
      literals = 0
    }
    var previous: UInt64 = 0
    for value in 0..<count {
      if value > 0, value % numbersPerBlock == 0 { emit(0) }
      let number = bytes.loadUnaligned(fromByteOffset: value * 8, as: UInt64.self)
      let equal = (number ^ previous).leadingZeroBitCount >> 3
      previous = number
      if value > 0, equal >= shortestMatch {
        literals += 8 - equal
        emit(equal)
      } else {
        literals += 8
      }
    }
    literals += source.count - count * 8
    emit(0)
    return out - sequences
  }
}
