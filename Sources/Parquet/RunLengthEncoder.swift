/// Parquet's hybrid of runs and bit-packed groups, for dictionary indexes and definition levels.
///
/// Source: Encodings of the Parquet format, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".
/// A run of equal values is told from packed ones by the low bit of its header.
package enum RunLengthEncoder {
  /// Room that `indexes` or `levels` need at most.
  package static func bound(_ count: Int, bitWidth: Int) -> Int {
    (count + 7) / 8 * (bitWidth + 1) + 64
  }

  /// Encodes dictionary indexes, without their leading bit width; gives the bytes written.
  package static func encode(
    indexes: UnsafePointer<UInt32>, count: Int, bitWidth: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    let groups = count / 8
    let runGroups = shortestRun(bitWidth)
    var end = target
    var packedFrom = 0
    var group = 0
    while group < groups {
      let values = indexes + group &* 8
      guard isRun(values, of: values[0]) else {
        group &+= 1
        continue
      }
      var runEnd = group &+ 1
      while runEnd < groups, isRun(indexes + runEnd &* 8, of: values[0]) { runEnd &+= 1 }
      if runEnd &- group >= runGroups {
        pack(indexes, from: packedFrom * 8, to: group * 8, bitWidth, &end)
        run(of: values[0], count: (runEnd - group) * 8, bitWidth, &end)
        packedFrom = runEnd
      }
      group = runEnd
    }
    let rest = packedFrom * 8
    if count > rest, count - rest < 8, isUniform(indexes + rest, count: count - rest) {
      run(of: indexes[rest], count: count - rest, bitWidth, &end)
    } else {
      pack(indexes, from: rest, to: count, bitWidth, &end)
    }
    return end - target
  }

  /// Encodes definition levels 0 and 1 from one byte a row; gives the bytes written and the rows
  /// of level 1.
  ///
  /// Packed bits are laid down at `scratch` first, `(count + 7) / 8` bytes.
  package static func encode(
    validity: UnsafePointer<UInt8>, count: Int, scratch: UnsafeMutablePointer<UInt8>,
    to target: UnsafeMutableRawPointer
  ) -> (byteCount: Int, setCount: Int) {
    let setCount = BitPacking.packBits(validity, count: count, to: scratch)
    var end = target
    if setCount == 0 || setCount == count {
      run(of: setCount == 0 ? 0 : 1, count: count, 1, &end)
      return (end - target, setCount)
    }
    let groups = count / 8
    let runGroups = shortestRun(1)
    var packedFrom = 0
    var group = 0
    while group < groups {
      let bits = scratch[group]
      guard bits == 0 || bits == 0xFF else {
        group &+= 1
        continue
      }
      var runEnd = group &+ 1
      while runEnd < groups, scratch[runEnd] == bits { runEnd &+= 1 }
      if runEnd &- group >= runGroups {
        copy(scratch, from: packedFrom, to: group, &end)
        run(of: bits == 0 ? 0 : 1, count: (runEnd - group) * 8, 1, &end)
        packedFrom = runEnd
      }
      group = runEnd
    }
    copy(scratch, from: packedFrom, to: (count + 7) / 8, &end)
    return (end - target, setCount)
  }

  /// Encodes `count` definition levels that are all 1; gives the bytes written.
  package static func encodeAllSet(count: Int, to target: UnsafeMutableRawPointer) -> Int {
    var end = target
    run(of: 1, count: count, 1, &end)
    return end - target
  }

  /// The fewest groups of eight that are smaller as a run, with the header of the packed groups
  /// after it.
  private static func shortestRun(_ bitWidth: Int) -> Int {
    let cost = 4 + (bitWidth + 7) / 8
    return (cost + bitWidth - 1) / bitWidth
  }

  @inline(__always)
  private static func isRun(_ values: UnsafePointer<UInt32>, of value: UInt32) -> Bool {
    let source = UnsafeRawPointer(values)
    let pair = UInt64(value) &* 0x1_0000_0001
    let a = source.loadUnaligned(as: UInt64.self) ^ pair
    let b = source.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ pair
    let c = source.loadUnaligned(fromByteOffset: 16, as: UInt64.self) ^ pair
    let d = source.loadUnaligned(fromByteOffset: 24, as: UInt64.self) ^ pair
    return a | b | c | d == 0
  }

  private static func isUniform(_ values: UnsafePointer<UInt32>, count: Int) -> Bool {
    for i in 1..<max(1, count) where values[i] != values[0] { return false }
    return true
  }

  private static func run(
    of value: UInt32, count: Int, _ bitWidth: Int, _ end: inout UnsafeMutableRawPointer
  ) {
    varint(UInt64(count) << 1, &end)
    for i in 0..<((bitWidth + 7) / 8) {
      end.storeBytes(of: UInt8(truncatingIfNeeded: value >> UInt32(8 * i)), as: UInt8.self)
      end += 1
    }
  }

  private static func pack(
    _ indexes: UnsafePointer<UInt32>, from start: Int, to stop: Int, _ bitWidth: Int,
    _ end: inout UnsafeMutableRawPointer
  ) {
    guard stop > start else { return }
    varint(UInt64((stop - start + 7) / 8) << 1 | 1, &end)
    end += BitPacking.pack(indexes + start, count: stop - start, bitWidth: bitWidth, to: end)
  }

  private static func copy(
    _ bits: UnsafePointer<UInt8>, from start: Int, to stop: Int,
    _ end: inout UnsafeMutableRawPointer
  ) {
    guard stop > start else { return }
    varint(UInt64(stop - start) << 1 | 1, &end)
    end.copyMemory(from: bits + start, byteCount: stop - start)
    end += stop - start
  }

  /// A number in groups of seven bits, the lowest first (ULEB128).
  static func varint(_ value: UInt64, _ end: inout UnsafeMutableRawPointer) {
    var rest = value
    while rest >= 0x80 {
      end.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
      end += 1
      rest >>= 7
    }
    end.storeBytes(of: UInt8(rest), as: UInt8.self)
    end += 1
  }
}
