/// Lays values out as PLAIN.
///
/// Source: Encodings of the Parquet format, "Plain (PLAIN = 0)". Each function writes the values
/// that are not null at `target` and gives the bytes written.
enum PlainEncoder {
  /// Texts, each behind its length in four bytes.
  ///
  /// `total` is how many bytes may be read from `bytes` on; up to 64 past the end are touched.
  static func encode(
    bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>, validity: UnsafePointer<UInt8>?,
    rows: Range<Int>, total: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    let source = UnsafeRawPointer(bytes)
    var end = target
    var start = Int(offsets[rows.lowerBound])
    for row in rows {
      let stop = Int(offsets[row &+ 1])
      let count = stop - start
      if let validity, validity[row] == 0 {
        start = stop
        continue
      }
      end.storeBytes(of: UInt32(truncatingIfNeeded: count), as: UInt32.self)
      ByteString.copy(source + start, count: count, readable: total &- start, to: end + 4)
      end += count &+ 4
      start = stop
    }
    return end - target
  }

  /// Texts that `indexes` name among `entries`.
  static func encode(
    indexes: UnsafePointer<UInt32>, count: Int, entries: borrowing EntryCompactor,
    to target: UnsafeMutableRawPointer
  ) -> Int {
    var end = target
    for i in 0..<count {
      let entry = entries.plain(at: Int(indexes[i]))
      if let source = entry.baseAddress { end.copyMemory(from: source, byteCount: entry.count) }
      end += entry.count
    }
    return end - target
  }

  /// Numbers that `indexes` name among `entries`.
  static func encode<T: FixedWidthValue>(
    indexes: UnsafePointer<UInt32>, count: Int, entries: UnsafePointer<T>,
    to target: UnsafeMutableRawPointer
  ) -> Int {
    for i in 0..<count {
      target.storeBytes(
        of: entries[Int(indexes[i])], toByteOffset: i &* MemoryLayout<T>.size, as: T.self)
    }
    return count * MemoryLayout<T>.size
  }

  /// Numbers.
  static func encode<T: FixedWidthValue>(
    _ values: UnsafePointer<T>, validity: UnsafePointer<UInt8>?, rows: Range<Int>,
    to target: UnsafeMutableRawPointer
  ) -> Int {
    let width = MemoryLayout<T>.size
    guard let validity else {
      target.copyMemory(from: values + rows.lowerBound, byteCount: rows.count * width)
      return rows.count * width
    }
    var end = target
    for row in rows {
      end.storeBytes(of: values[row], as: T.self)
      end += validity[row] == 0 ? 0 : width
    }
    return end - target
  }

  /// Booleans, a bit each. Nulls are squeezed out at `scratch` first, a byte a row.
  static func encode(
    _ values: UnsafePointer<UInt8>, validity: UnsafePointer<UInt8>?, rows: Range<Int>,
    scratch: UnsafeMutablePointer<UInt8>, to target: UnsafeMutableRawPointer
  ) -> (byteCount: Int, valueCount: Int, trueCount: Int) {
    var flags = values + rows.lowerBound
    var count = rows.count
    if let validity {
      count = 0
      for row in rows {
        scratch[count] = values[row]
        count &+= validity[row] == 0 ? 0 : 1
      }
      flags = UnsafePointer(scratch)
    }
    let bits = target.assumingMemoryBound(to: UInt8.self)
    let trueCount = BitPacking.packBits(flags, count: count, to: bits)
    return ((count + 7) / 8, count, trueCount)
  }
}
