/// The least and greatest of a column chunk's texts, bytes compared as unsigned numbers.
///
/// Holds on to the first and last texts by address: the memory has to outlive it.
package struct TextBounds {
  /// A text with its first 16 bytes as two big-endian words, which order most pairs alone.
  private struct Candidate {
    var first: UInt64
    var second: UInt64
    var text: UnsafeRawBufferPointer

    /// Whether this stands before a text of these words.
    @inline(__always)
    func isBefore(_ first: UInt64, _ second: UInt64, _ text: UnsafeRawBufferPointer) -> Bool {
      if self.first != first { return self.first < first }
      if self.second != second { return self.second < second }
      return ByteString.isLess(self.text, text)
    }

    @inline(__always)
    func isAfter(_ first: UInt64, _ second: UInt64, _ text: UnsafeRawBufferPointer) -> Bool {
      if self.first != first { return self.first > first }
      if self.second != second { return self.second > second }
      return ByteString.isLess(text, self.text)
    }
  }

  private var least: Candidate?
  private var greatest: Candidate?

  /// Bounds of no texts.
  package init() {}

  /// Takes rows of a column into account; `total` is how many bytes may be read from `bytes`.
  package mutating func add(
    bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>, validity: UnsafePointer<UInt8>?,
    rows: Range<Int>, total: Int
  ) {
    let source = UnsafeRawPointer(bytes)
    // A text strictly between the bounds changes nothing, and its first 8 bytes mostly tell.
    var low = least?.first ?? .max
    var high = greatest?.first ?? .min
    for row in rows {
      if let validity, validity[row] == 0 { continue }
      let start = Int(offsets[row])
      if total &- start >= 8 {
        let count = Int(offsets[row &+ 1]) &- start
        let word = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        let first = count >= 8 ? word : word & ~(UInt64.max &>> UInt64(count &* 8))
        if first > low, first < high { continue }
      }
      add(source + start, count: Int(offsets[row &+ 1]) &- start, readable: total &- start)
      low = least?.first ?? .max
      high = greatest?.first ?? .min
    }
  }

  /// Takes PLAIN texts into account, each behind its length.
  package mutating func add(plain page: UnsafeRawBufferPointer) {
    guard let source = page.baseAddress else { return }
    var place = 0
    while place < page.count {
      let count = Int(source.loadUnaligned(fromByteOffset: place, as: UInt32.self))
      place += 4
      add(source + place, count: count, readable: page.count - place)
      place += count
    }
  }

  /// Takes PLAIN texts into account; false if their lengths do not fill the page.
  mutating func add(prefixed page: UnsafeRawBufferPointer, count: Int) -> Bool {
    guard let source = page.baseAddress else { return count == 0 }
    // A text strictly between the bounds changes nothing, and its first 8 bytes mostly tell.
    var low = least?.first ?? .max
    var high = greatest?.first ?? .min
    var place = 0
    for _ in 0..<count {
      guard place &+ 4 <= page.count else { return false }
      let length = Int(source.loadUnaligned(fromByteOffset: place, as: UInt32.self))
      place &+= 4
      guard length <= page.count &- place else { return false }
      if length >= 8 {
        let first = UInt64(
          bigEndian: source.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        if first > low, first < high {
          place &+= length
          continue
        }
      }
      add(source + place, count: length, readable: page.count &- place)
      low = least?.first ?? .max
      high = greatest?.first ?? .min
      place &+= length
    }
    return place == page.count
  }

  /// Takes one text into account; `readable` bytes may be read from it on.
  @inline(__always)
  mutating func add(_ text: UnsafeRawPointer, count: Int, readable: Int) {
    let words = ByteString.words(text, count: min(16, count), readable: readable)
    let first = UInt64(bigEndian: words.0)
    let second = UInt64(bigEndian: words.1)
    let bytes = UnsafeRawBufferPointer(start: text, count: count)
    guard let low = least, let high = greatest else {
      least = Candidate(first: first, second: second, text: bytes)
      greatest = least
      return
    }
    if low.isAfter(first, second, bytes) {
      least = Candidate(first: first, second: second, text: bytes)
    } else if high.isBefore(first, second, bytes) {
      greatest = Candidate(first: first, second: second, text: bytes)
    }
  }

  /// The bounds cut to `limit` bytes, or nil if there are none.
  package func bounds(limit: Int) -> ColumnBounds? {
    guard let least, let greatest else { return nil }
    return ColumnBounds(lower: least.text, upper: greatest.text, limit: limit)
  }
}
