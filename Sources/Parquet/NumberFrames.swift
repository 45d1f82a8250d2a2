/// Writes pages of numbers that follow each other as zstd frames, without the library: RFC 8878.
///
/// Instants have the high bytes of the one before, and numbers that count up those of the number
/// 256 before, but for one. So where a repeat is, is known, and how long it lasts is all there is to
/// find out. Three cases, tried in this order for each row that is not in a frame yet:
/// ```
/// copy      the rows of before once more      lines of another object, counted from 1 again
/// count     all but the second byte as 256 rows before      numbers that count up
/// follow    all but the low bytes as in the row before      instants
/// ```
/// What is none of them stays as it is. A page with much of that is left to the library.
///
/// Pointers instead of arrays: sound, since rows are read below `count` alone, and what is written is
/// never more than the rows read so far and a frame's header.
package struct NumberFrames: ~Copyable {
  private var source = UnsafeRawPointer(bitPattern: 8)!
  private var count = 0
  /// Bytes of the page that are in the frame.
  private var written = 0
  /// Low bytes that are new in each row that follows.
  private var lowBytes = 0
  /// Where numbers last began again, lower than the one before.
  private var restart = 0
  /// Rows that were left as they are.
  private var plainRows = 0

  /// Fewer rows are not worth a block.
  private static let fewestRows = 16
  /// What a block costs, about, apart from its literals.
  private static let blockCost = 40
  private static let counted = 256
  /// Rows that are looked at to choose `lowBytes`.
  private static let sampledRows = 4096

  package init() {}

  /// Writes a page of numbers of eight bytes as one frame; gives its size, or nil, and what is at
  /// `target` means nothing, if there is little to gain.
  ///
  /// - Parameter target: with room for what the library would ask for.
  package mutating func write(
    _ page: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer
  ) -> Int? {
    guard let start = page.baseAddress, page.count % 8 == 0, page.count >= 4096,
      let size = UInt32(exactly: page.count)
    else { return nil }
    source = start
    count = page.count / 8
    written = 0
    restart = 0
    plainRows = 0
    chooseLowBytes()
    var out = ZstdBlock.writeFrameHeader(size: size, to: target)
    var row = 1
    while row < count {
      if let distance = distanceOfCopy(row, since: restart),
        let end = endOfCopy(row, distance: distance)
      {
        writeCopy(row..<end, distance: distance, to: &out)
        restart = row
        row = end
      } else if let end = endOfCount(row) {
        writeRows(row..<end - 1, new: 1..<2, distance: Self.counted, to: &out)
        row = end
      } else if let end = endOfFollowing(row) {
        writeRows(row..<end, new: 0..<lowBytes, distance: 1, to: &out)
        row = end
      } else {
        if number(row) < number(row - 1) { restart = row }
        plainRows += 1
        row += 1
        guard plainRows <= count / 8 else { return nil }
      }
      // Sixteen rows and more shrink by more than a block costs: so this holds, and nothing is
      // written past the room.
      guard out - target < row * 8 + 32 else { return nil }
    }
    writeRaw(upTo: count * 8, keeping: 0, to: &out)
    ZstdBlock.writeRaw(source, count: 0, isLast: true, to: &out)
    return out - target < page.count ? out - target : nil
  }

  // MARK: What repeats

  @inline(__always)
  private func number(_ row: Int) -> UInt64 {
    source.loadUnaligned(fromByteOffset: row &* 8, as: UInt64.self).littleEndian
  }

  /// Chooses how many bytes of a row that follows are new: fewer cost more blocks.
  private mutating func chooseLowBytes() {
    let rows = min(count, Self.sampledRows)
    var least = Int.max
    for bytes in 1...4 {
      var breaks = 0
      for row in 1..<rows
      where (number(row) ^ number(row &- 1)) &>> UInt64(bytes &* 8) != 0 { breaks &+= 1 }
      let cost = rows * bytes + breaks * Self.blockCost
      if cost < least {
        least = cost
        lowBytes = bytes
      }
    }
  }

  /// How many rows back the same numbers may stand, for a row where numbers begin again: where
  /// those of the last time counted up to its own.
  private func distanceOfCopy(_ row: Int, since restart: Int) -> Int? {
    guard number(row) < number(row - 1) else { return nil }
    let ahead = number(row) &- number(restart)
    return ahead < UInt64(row - restart) ? row - restart - Int(ahead) : nil
  }

  private func endOfCopy(_ row: Int, distance: Int) -> Int? {
    var end = row
    while end < count, number(end) == number(end &- distance) { end &+= 1 }
    return end - row >= Self.fewestRows ? end : nil
  }

  private func endOfCount(_ row: Int) -> Int? {
    guard row >= Self.counted else { return nil }
    var end = row
    while end < count, (number(end) ^ number(end &- Self.counted)) & ~0xFF00 == 0,
      number(end) > number(end &- 1)
    {
      end &+= 1
    }
    return end - row >= Self.fewestRows ? end : nil
  }

  /// Ends before a row that may be copied.
  private mutating func endOfFollowing(_ row: Int) -> Int? {
    let shift = UInt64(lowBytes * 8)
    var restart = restart
    var end = row
    while end < count {
      let number = number(end)
      let last = self.number(end &- 1)
      guard (number ^ last) &>> shift == 0 else { break }
      if number < last {
        if end > row, distanceOfCopy(end, since: restart) != nil { break }
        restart = end
      }
      end &+= 1
    }
    guard end - row >= Self.fewestRows else { return nil }
    self.restart = restart
    return end
  }

  // MARK: Blocks

  /// Writes rows that stood before, and what comes before them as it is.
  private mutating func writeCopy(
    _ rows: Range<Int>, distance: Int, to out: inout UnsafeMutableRawPointer
  ) {
    writeRaw(upTo: rows.lowerBound * 8, keeping: 16, to: &out)
    var row = rows.lowerBound
    let mostRows = (ZstdBlock.mostBytes - 16) / 8
    while row < rows.upperBound {
      let end = min(rows.upperBound, row + mostRows)
      writeRepeat(from: row * 8, to: end * 8, distance: distance * 8, &out)
      row = end
    }
  }

  /// Writes rows of which only the bytes `new` are not those of the row so far back, and what comes
  /// before them as it is. A repeat goes on to the next row's first new byte; the last one ends
  /// with its row, or where there are bytes before the new ones, behind those of the row after.
  private mutating func writeRows(
    _ rows: Range<Int>, new: Range<Int>, distance: Int, to out: inout UnsafeMutableRawPointer
  ) {
    writeRaw(upTo: rows.lowerBound * 8 + new.upperBound, keeping: 16, to: &out)
    let match = 8 - new.count
    let first = rows.lowerBound * 8 + new.upperBound
    writeRepeat(from: first, to: first + match, distance: distance * 8, &out)
    var row = rows.lowerBound + 1
    let mostRows = ZstdBlock.mostBytes / 8
    while row < rows.upperBound {
      var end = min(rows.upperBound, row + mostRows)
      let block = out
      out += ZstdBlock.headerBytes
      let alike = endOfAlike(row..<end, new)
      if alike - row >= Self.fewestRows {
        end = alike
        ZstdBlock.writeLiteralsHeader(.repeated, count: (end - row) * new.count, to: &out)
        out.copyMemory(from: source + row * 8 + new.lowerBound, byteCount: 1)
        out += 1
      } else {
        writeLiterals(row..<end, new, to: &out)
      }
      ZstdBlock.writeSequences(
        end - row, .literals(new.count), .match(match), .asBefore, to: &out)
      ZstdBlock.writeHeader(of: block, upTo: out)
      row = end
    }
    written = rows.upperBound * 8 + new.lowerBound
  }

  /// How many rows have the same new byte, if it is one.
  private func endOfAlike(_ rows: Range<Int>, _ new: Range<Int>) -> Int {
    guard new.count == 1 else { return rows.lowerBound }
    let shift = UInt64(new.lowerBound * 8)
    var end = rows.lowerBound + 1
    while end < rows.upperBound,
      (number(end) ^ number(rows.lowerBound)) &>> shift & 0xFF == 0
    { end &+= 1 }
    return end
  }

  private func writeLiterals(
    _ rows: Range<Int>, _ new: Range<Int>, to out: inout UnsafeMutableRawPointer
  ) {
    ZstdBlock.writeLiteralsHeader(.raw, count: rows.count * new.count, to: &out)
    let source = source
    let shift = UInt64(new.lowerBound * 8)
    var place = out
    for row in rows {
      // Eight bytes, of which the next row's are written over all but the first ones.
      let number = source.loadUnaligned(fromByteOffset: row &* 8, as: UInt64.self).littleEndian
      place.storeBytes(of: (number &>> shift).littleEndian, as: UInt64.self)
      place += new.count
    }
    out = place
  }

  /// Writes a block that ends with a repeat of the bytes `start ..< end`, and begins with those
  /// before it that are not written yet.
  private mutating func writeRepeat(
    from start: Int, to end: Int, distance: Int, _ out: inout UnsafeMutableRawPointer
  ) {
    let block = out
    out += ZstdBlock.headerBytes
    let pending = start - written
    ZstdBlock.writeLiteralsHeader(.raw, count: pending, to: &out)
    out.copyMemory(from: source + written, byteCount: pending)
    out += pending
    ZstdBlock.writeSequences(
      1, .literals(pending), .match(end - start), .distance(distance), to: &out)
    ZstdBlock.writeHeader(of: block, upTo: out)
    written = end
  }

  /// Writes bytes as they are, but for the last ones: those go with what follows.
  private mutating func writeRaw(
    upTo end: Int, keeping kept: Int, to out: inout UnsafeMutableRawPointer
  ) {
    while end - written > kept {
      let size = min(end - written - kept, ZstdBlock.mostBytes)
      ZstdBlock.writeRaw(source + written, count: size, to: &out)
      written += size
    }
  }
}
