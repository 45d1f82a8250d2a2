/// Finds the distinct values of one column chunk: a dictionary page of entries in the order of
/// their first row, and an index a row.
///
/// An open-addressing table over 128-bit keys; a value of up to 16 bytes *is* its key, so most
/// look-ups touch neither the column nor the page again. Values chosen to collide cannot slow it:
/// once the steps past occupied slots exceed a few a value, the attempt is abandoned and the chunk
/// is written PLAIN, at a cost that stays linear.
package struct DictionaryBuilder: ~Copyable {
  /// The entries as PLAIN values: the body of the dictionary page.
  package private(set) var page = ByteBuffer(capacity: 1 << 16)
  package private(set) var entryCount = 0

  private struct Key {
    var first: UInt64
    var second: UInt64
    var length: UInt32
    /// Where the entry's bytes stand in `page`.
    var offset: UInt32
  }

  private static let smallestTable = 1024

  private var keys: UnsafeMutablePointer<Key>
  private var keyCapacity: Int
  /// The high half is the hash, the low half the entry's index plus one; 0 is free.
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCapacity: Int
  /// Slots in use by this chunk, a power of two; a hash's top bits are its slot.
  private var slotCount: Int
  private var shift: UInt32 = 0
  private var probeBudget = 0
  private var pageLimit = 0
  private var isAbandoned = false

  package init() {
    keyCapacity = Self.smallestTable / 2
    keys = .allocate(capacity: keyCapacity)
    slotCapacity = Self.smallestTable
    slotCount = slotCapacity
    slots = .allocate(capacity: slotCapacity)
    slots.initialize(repeating: 0, count: slotCapacity)
  }

  deinit {
    keys.deallocate()
    slots.deallocate()
  }

  /// Tries to code a column of text; false if a dictionary would be no smaller than PLAIN.
  ///
  /// Writes an index for each row that is not null, without gaps.
  package mutating func build(
    bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>, validity: UnsafePointer<UInt8>?,
    rowCount: Int, valueCount: Int, pageLimit: Int, indexes: UnsafeMutablePointer<UInt32>
  ) -> Bool {
    let source = UnsafeRawPointer(bytes)
    let total = Int(offsets[rowCount])
    if rowCount >= Self.sampledFrom {
      begin(valueCount: Self.sampleCount, pageLimit: pageLimit)
      var seen = 0
      var rawBytes = 0
      for number in 0..<Self.sampleCount {
        let row = Self.sampleRow(number, of: rowCount)
        if let validity, validity[row] == 0 { continue }
        let start = Int(offsets[row])
        let length = Int(offsets[row + 1]) - start
        _ = index(ofText: source + start, count: length, readable: total - start)
        seen += 1
        rawBytes += length + 4
      }
      if isHopeless(seen: seen, of: valueCount, rawBytes: rawBytes) { return false }
    }
    begin(valueCount: valueCount, pageLimit: pageLimit)
    var value = 0
    var rawBytes = 0
    var start = Int(offsets[0])
    for row in 0..<rowCount {
      let stop = Int(offsets[row &+ 1])
      let length = stop - start
      if let validity, validity[row] == 0 {
        start = stop
        continue
      }
      indexes[value] = index(ofText: source + start, count: length, readable: total &- start)
      if isAbandoned { return false }
      value &+= 1
      rawBytes &+= length &+ 4
      start = stop
    }
    return isWorthwhile(values: value, rawBytes: rawBytes)
  }

  /// The same for numbers, told apart by their bits.
  package mutating func build<T: FixedWidthValue>(
    values: UnsafePointer<T>, validity: UnsafePointer<UInt8>?, rowCount: Int, valueCount: Int,
    pageLimit: Int, indexes: UnsafeMutablePointer<UInt32>
  ) -> Bool {
    let width = MemoryLayout<T>.size
    if rowCount >= Self.sampledFrom {
      begin(valueCount: Self.sampleCount, pageLimit: pageLimit)
      var seen = 0
      for number in 0..<Self.sampleCount {
        let row = Self.sampleRow(number, of: rowCount)
        if let validity, validity[row] == 0 { continue }
        _ = index(of: values[row])
        seen += 1
      }
      if isHopeless(seen: seen, of: valueCount, rawBytes: seen * width) { return false }
    }
    begin(valueCount: valueCount, pageLimit: pageLimit)
    var value = 0
    for row in 0..<rowCount {
      if let validity, validity[row] == 0 { continue }
      indexes[value] = index(of: values[row])
      if isAbandoned { return false }
      value &+= 1
    }
    return isWorthwhile(values: value, rawBytes: value * width)
  }

  /// How many rows are looked at to tell whether an attempt is worth its time.
  private static let sampleCount = 4096
  /// The fewest rows of which a sample is much less than the whole.
  private static let sampledFrom = 16 * sampleCount

  /// Neighbours in the sample: few far jumps, and values that come sorted or in clusters show it.
  private static let sampleRun = 32

  /// Runs of rows, one somewhere in each of 128 equal parts.
  @inline(__always)
  private static func sampleRow(_ number: Int, of rowCount: Int) -> Int {
    let run = number / sampleRun
    let part = rowCount / (sampleCount / sampleRun)
    let scattered = ByteString.hash(UInt64(truncatingIfNeeded: run), 0, 0) &>> 40
    return run &* part &+ Int(truncatingIfNeeded: scattered) % (part &- sampleRun &+ 1)
      &+ number % sampleRun
  }

  /// Whether the share of repeats in the sample says that a dictionary will not pay.
  ///
  /// Reckons as if values were equally frequent, which, if they are not, makes too few of them; and
  /// gives chance three deviations of the count of repeats. A mistake costs the time of an attempt.
  private func isHopeless(seen: Int, of valueCount: Int, rawBytes: Int) -> Bool {
    guard !isAbandoned else { return true }
    guard seen > 0 else { return false }
    let repeats = Double(seen - entryCount)
    guard repeats > 0 else { return true }
    let n = Double(seen)
    let total = Double(valueCount)
    let population = Self.population(
      distinct: max(1, Double(entryCount) - 3 * repeats.squareRoot()), of: n)
    let entries = max(Double(entryCount), Self.distinct(of: total, from: population))
    let size = entries * Double(page.count) / Double(entryCount)
    let indexBits = Double(BitPacking.bitWidth(below: Int(entries) + 1))
    return size > Double(pageLimit)
      || size + total * indexBits / 8 > Double(rawBytes) / n * total
  }

  /// How many distinct values `count` even draws from `population` give: D(1 - exp(-n/D)).
  private static func distinct(of count: Double, from population: Double) -> Double {
    // (1 + y + y²/2)⁸ with y = x/8 is exp(x), near enough.
    let eighth = count / population / 8
    let root = 1 + eighth + eighth * eighth / 2
    let square = root * root
    return population * (1 - 1 / (square * square * square * square))
  }

  /// The population of which `count` even draws give so many distinct values.
  private static func population(distinct: Double, of count: Double) -> Double {
    var low = distinct
    var high = 1e12
    for _ in 0..<60 {
      let middle = (low * high).squareRoot()
      if Self.distinct(of: count, from: middle) < distinct { low = middle } else { high = middle }
    }
    return high
  }

  private func isWorthwhile(values: Int, rawBytes: Int) -> Bool {
    guard entryCount > 0 else { return false }
    let bitWidth = BitPacking.bitWidth(below: entryCount)
    return page.count + values * bitWidth / 8 < rawBytes
  }

  private mutating func begin(valueCount: Int, pageLimit: Int) {
    page.count = 0
    entryCount = 0
    isAbandoned = false
    self.pageLimit = pageLimit
    probeBudget = 1024 + 4 * valueCount
    slotCount = Self.smallestTable
    shift = UInt32(32 - slotCount.trailingZeroBitCount)
    slots.update(repeating: 0, count: slotCount)
  }

  @inline(__always)
  private mutating func index<T: FixedWidthValue>(of value: T) -> UInt32 {
    let bits = value.dictionaryBits
    let tag = UInt32(truncatingIfNeeded: ByteString.hash(bits, 0, 8) &>> 32)
    var place = Int(tag &>> shift)
    while true {
      let slot = slots[place]
      if slot == 0 {
        let key = Key(first: bits, second: 0, length: UInt32(MemoryLayout<T>.size), offset: 0)
        return withUnsafeBytes(of: value) { insert(key, $0, tag, place, lengthPrefix: false) }
      }
      if UInt32(truncatingIfNeeded: slot &>> 32) == tag {
        let index = UInt32(truncatingIfNeeded: slot) &- 1
        if keys[Int(index)].first == bits { return index }
      }
      place = (place &+ 1) & (slotCount &- 1)
      probeBudget &-= 1
      if probeBudget < 0 {
        isAbandoned = true
        return 0
      }
    }
  }

  @inline(__always)
  private mutating func index(
    ofText text: UnsafeRawPointer, count: Int, readable: Int
  ) -> UInt32 {
    let words =
      count <= 16
      ? ByteString.words(text, count: count, readable: readable)
      : ByteString.longHash(text, count: count)
    let tag = UInt32(
      truncatingIfNeeded: ByteString.hash(words.0, words.1, count) &>> 32)
    var place = Int(tag &>> shift)
    while true {
      let slot = slots[place]
      if slot == 0 {
        let key = Key(
          first: words.0, second: words.1, length: UInt32(truncatingIfNeeded: count), offset: 0)
        return insert(
          key, UnsafeRawBufferPointer(start: text, count: count), tag, place, lengthPrefix: true)
      }
      if UInt32(truncatingIfNeeded: slot &>> 32) == tag {
        let index = UInt32(truncatingIfNeeded: slot) &- 1
        let key = keys[Int(index)]
        if key.first == words.0, key.second == words.1, Int(key.length) == count,
          count <= 16 || ByteString.isEqual(text, page.start + Int(key.offset), count: count)
        {
          return index
        }
      }
      place = (place &+ 1) & (slotCount &- 1)
      probeBudget &-= 1
      if probeBudget < 0 {
        isAbandoned = true
        return 0
      }
    }
  }

  @inline(never)
  private mutating func insert(
    _ key: Key, _ bytes: UnsafeRawBufferPointer, _ tag: UInt32, _ place: Int, lengthPrefix: Bool
  ) -> UInt32 {
    guard page.count + bytes.count + 4 <= pageLimit else {
      isAbandoned = true
      return 0
    }
    if lengthPrefix { page.append(littleEndian: UInt32(bytes.count)) }
    if entryCount == keyCapacity { growKeys() }
    keys[entryCount] = key
    keys[entryCount].offset = UInt32(page.count)
    page.append(bytes)
    entryCount += 1
    slots[place] = UInt64(tag) << 32 | UInt64(entryCount)
    if entryCount * 2 > slotCount { growSlots() }
    return UInt32(entryCount - 1)
  }

  private mutating func growKeys() {
    let larger = UnsafeMutablePointer<Key>.allocate(capacity: keyCapacity * 2)
    larger.initialize(from: keys, count: keyCapacity)
    keys.deallocate()
    keys = larger
    keyCapacity *= 2
  }

  /// Four times the slots, or twice once they are many; the old ones are moved by the hash that
  /// they hold.
  private mutating func growSlots() {
    let oldCount = slotCount
    let old = UnsafeMutablePointer<UInt64>.allocate(capacity: oldCount)
    defer { old.deallocate() }
    old.initialize(from: slots, count: oldCount)
    slotCount = oldCount * (oldCount < 1 << 16 ? 4 : 2)
    shift = UInt32(32 - slotCount.trailingZeroBitCount)
    if slotCount > slotCapacity {
      slots.deallocate()
      slotCapacity = slotCount
      slots = .allocate(capacity: slotCapacity)
      slots.initialize(repeating: 0, count: slotCapacity)
    } else {
      slots.update(repeating: 0, count: slotCount)
    }
    for i in 0..<oldCount where old[i] != 0 {
      var place = Int(UInt32(truncatingIfNeeded: old[i] &>> 32) &>> shift)
      while slots[place] != 0 { place = (place &+ 1) & (slotCount &- 1) }
      slots[place] = old[i]
    }
  }
}
