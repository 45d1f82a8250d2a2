/// Lays numbers out as their differences, and texts as the differences of their lengths and then
/// their bytes: for columns whose encoding is `delta`.
///
/// Source: Encodings of the Parquet format, "Delta Encoding (DELTA_BINARY_PACKED = 5)" and
/// "Delta-length byte array (DELTA_LENGTH_BYTE_ARRAY = 6)". Blocks of 128 differences, four
/// miniblocks each. Arithmetic wraps at the width of the numbers, as readers expect.
enum DeltaEncoder {
  private static let blockValues = 128
  private static let miniblocks = 4
  private static let miniblockValues = blockValues / miniblocks

  /// Bytes that so many numbers take at most.
  static func bound(_ count: Int) -> Int {
    let blocks = (count + blockValues - 1) / blockValues
    return 40 + blocks * (10 + miniblocks + blockValues * 8)
  }

  /// Writes numbers; gives the bytes written.
  static func encode<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    var end = target
    RunLengthEncoder.varint(UInt64(blockValues), &end)
    RunLengthEncoder.varint(UInt64(miniblocks), &end)
    RunLengthEncoder.varint(UInt64(count), &end)
    zigzag(count > 0 ? Int64(values[0]) : 0, &end)
    var next = 1
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockValues) { block in
      let differences = block.baseAddress!
      while next < count {
        let size = min(blockValues, count - next)
        var least = T.max
        for i in 0..<size { least = min(least, values[next + i] &- values[next + i - 1]) }
        let mask = T.bitWidth == 64 ? UInt64.max : UInt64(UInt32.max)
        for i in 0..<blockValues {
          guard i < size else {
            differences[i] = 0
            continue
          }
          let difference = values[next + i] &- values[next + i - 1] &- least
          differences[i] = UInt64(truncatingIfNeeded: difference) & mask
        }
        zigzag(Int64(least), &end)
        let widths = end
        end += miniblocks
        for number in 0..<miniblocks {
          let first = number * miniblockValues
          // A miniblock without values has no bytes.
          guard first < size else {
            widths.storeBytes(of: 0, toByteOffset: number, as: UInt8.self)
            continue
          }
          var bits: UInt64 = 0
          for i in first..<first + miniblockValues { bits |= differences[i] }
          let width = 64 - bits.leadingZeroBitCount
          widths.storeBytes(of: UInt8(width), toByteOffset: number, as: UInt8.self)
          pack(differences + first, count: miniblockValues, bitWidth: width, &end)
        }
        next += size
      }
    }
    return end - target
  }

  private static func pack(
    _ values: UnsafePointer<UInt64>, count: Int, bitWidth: Int, _ end: inout UnsafeMutableRawPointer
  ) {
    guard bitWidth > 0 else { return }
    var word: UInt64 = 0
    var filled = 0
    for i in 0..<count {
      word |= values[i] << UInt64(filled)
      filled += bitWidth
      if filled >= 64 {
        end.storeBytes(of: word.littleEndian, as: UInt64.self)
        end += 8
        filled -= 64
        // What did not fit; all of it, if the word was full before.
        word = filled == 0 ? 0 : values[i] >> UInt64(bitWidth - filled)
      }
    }
    // Thirty-two values of any width are whole words of 32 bits.
    if filled > 0 {
      end.storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, as: UInt32.self)
      end += 4
    }
  }

  private static func zigzag(_ value: Int64, _ end: inout UnsafeMutableRawPointer) {
    RunLengthEncoder.varint(UInt64(bitPattern: value &<< 1 ^ value &>> 63), &end)
  }
}
