/// Keeps, of a dictionary that the caller made, the entries that a chunk uses.
///
/// Entries are renumbered in the order of their first row and laid out as a dictionary page.
struct EntryCompactor: ~Copyable {
  /// The used entries as PLAIN values.
  private(set) var page = ByteBuffer(capacity: 1 << 12)
  private(set) var entryCount = 0
  /// Where each text begins in `page`, and where the last one ends.
  private var starts = ByteBuffer()
  /// The new number of each of the caller's entries.
  private var numbers = ByteBuffer()
  /// The caller's number of each used entry.
  private var used = ByteBuffer()

  private static let unused = UInt32.max

  /// Writes the new index of each row that is not null; nil if an index is out of range.
  mutating func renumber(
    _ indexes: UnsafePointer<UInt32>, validity: UnsafePointer<UInt8>?, rowCount: Int,
    entryCount: Int, to target: UnsafeMutablePointer<UInt32>
  ) -> Bool {
    let numbers = self.numbers.elements(entryCount, of: UInt32.self)
    numbers.initialize(repeating: Self.unused, count: entryCount)
    let used = self.used.elements(min(entryCount, rowCount), of: UInt32.self)
    var usedCount: UInt32 = 0
    var value = 0
    let limit = UInt32(truncatingIfNeeded: entryCount)
    for row in 0..<rowCount {
      if let validity, validity[row] == 0 { continue }
      let index = indexes[row]
      guard index < limit else { return false }
      var number = numbers[Int(index)]
      if number == Self.unused {
        number = usedCount
        numbers[Int(index)] = number
        used[Int(number)] = index
        usedCount &+= 1
      }
      target[value] = number
      value &+= 1
    }
    self.entryCount = Int(usedCount)
    return true
  }

  /// Lays out the used ones of the caller's texts; false if they pass 2 GiB.
  mutating func layOut(bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>) -> Bool {
    page.count = 0
    let starts = self.starts.elements(entryCount + 1, of: UInt32.self)
    let used = UnsafeRawPointer(self.used.start).assumingMemoryBound(to: UInt32.self)
    for i in 0..<entryCount {
      let start = Int(offsets[Int(used[i])])
      let count = Int(offsets[Int(used[i]) + 1]) - start
      guard page.count + count + 4 <= Int(Int32.max) else { return false }
      starts[i] = UInt32(page.count)
      page.append(littleEndian: UInt32(count))
      page.append(UnsafeRawBufferPointer(start: bytes + start, count: count))
    }
    starts[entryCount] = UInt32(page.count)
    return true
  }

  /// Lays out the used ones of the caller's numbers.
  mutating func layOut<T: FixedWidthValue>(_ entries: UnsafePointer<T>) {
    page.count = 0
    page.reserve(entryCount * MemoryLayout<T>.size)
    let used = UnsafeRawPointer(self.used.start).assumingMemoryBound(to: UInt32.self)
    for i in 0..<entryCount {
      page.end.storeBytes(of: entries[Int(used[i])], as: T.self)
      page.count += MemoryLayout<T>.size
    }
  }

  /// A text of `page` with its length before it.
  func plain(at index: Int) -> UnsafeRawBufferPointer {
    let starts = UnsafeRawPointer(self.starts.start).assumingMemoryBound(to: UInt32.self)
    let start = Int(starts[index])
    return UnsafeRawBufferPointer(start: page.start + start, count: Int(starts[index + 1]) - start)
  }
}
