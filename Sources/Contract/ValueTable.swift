/// The distinct values of one field, each under a code, found by the text that writes them.
///
/// Most fields repeat a few values: what a text means and whether it is allowed is then found out
/// once, and a row keeps only the code. Code 0 is null. A field that turns out to have many values
/// is given up (`isFull`) and kept as plain values from then on.
///
/// Pointers instead of arrays, for the line loop: sound, since they are allocated and grown here
/// alone, and indexed only with slots and codes of this table. The seed of the hash is this
/// process's own, and a search that passes too many slots gives the table up, so that no values
/// can be chosen to make it slow.
struct ValueTable: ~Copyable {
  /// The codes that a table has at most, null's not counted.
  static let mostValues = 1 << 16
  /// The longest text that has a code: the longest line's.
  static let longestText = 1 << 20
  private static let mostTextBytes = 4 << 20
  private static let mostProbes = 64
  /// From so many values on, whenever they have doubled, it is reckoned how many there will be.
  private static let reckonedFrom = 4096
  private static let fewValues = 64
  private static let mostSlotsOfFew = 4095
  private static let escaped: UInt32 = 1 << 31
  /// In the last byte of a key that is not of a short text.
  private static let noSize: UInt64 = 0xF0 << 56

  /// What makes a key of the sixteen bytes that begin with a text shorter than those: the text,
  /// zeros, and its size in the last byte. Longer texts, and those that are kept apart, have keys
  /// whose last byte is no such size.
  struct KeyMask {
    var mask: SIMD2<UInt64>
    var size: SIMD2<UInt64>

    /// - Parameter size: 0 to 15; 16 makes a key that nothing has.
    init(size: Int) {
      mask = size < 16 ? ByteScan.mask(size) : SIMD2(0, 0)
      self.size = size < 16 ? SIMD2(0, UInt64(size) << 56) : SIMD2(.max, .max)
    }

    @inline(__always)
    func key(_ block: SIMD2<UInt64>) -> SIMD2<UInt64> { block & mask | size }
  }

  private struct Slot {
    var low: UInt64
    var high: UInt64
    /// Of the text, and `escaped`.
    var length: UInt32
    /// 0 where the slot is free.
    var code: UInt32
  }

  let kind: ColumnBuffer.Kind
  /// How many codes there are, null's among them.
  private(set) var count = 1
  /// Whether the values are too many for a table.
  private(set) var isFull = false
  /// The texts by their code, one after the other; null's is empty.
  private(set) var texts = ByteBuffer(capacity: 256)
  /// Where each text begins in `texts`, and where the last one ends.
  private(set) var offsets: UnsafeMutablePointer<UInt32>
  /// The values by their code, for kinds other than strings, 8 bytes each.
  private(set) var values: UnsafeMutableRawPointer
  private var capacity = 64
  private var slots: UnsafeMutablePointer<Slot>
  private var slotMask = 127
  private let seed: (UInt64, UInt64)

  init(_ kind: ColumnBuffer.Kind) {
    self.kind = kind
    seed = (UInt64.random(in: .min ... .max) | 1, UInt64.random(in: .min ... .max) | 1)
    offsets = .allocate(capacity: capacity + 1)
    offsets[0] = 0
    offsets[1] = 0
    values = .allocate(byteCount: capacity * 8, alignment: 8)
    values.storeBytes(of: 0, as: UInt64.self)
    slots = .allocate(capacity: slotMask + 1)
    slots.initialize(
      repeating: Slot(low: 0, high: 0, length: 0, code: 0), count: slotMask + 1)
  }

  deinit {
    offsets.deallocate()
    values.deallocate()
    slots.deallocate()
  }

  /// The code of a text of up to 15 bytes, given by its key; 0 if it has none.
  @inline(__always)
  func find(_ key: SIMD2<UInt64>) -> UInt32 {
    var place = self.place(key[0], key[1])
    while true {
      let slot = slots + place
      if (slot.pointee.low ^ key[0]) | (slot.pointee.high ^ key[1]) == 0 {
        return slot.pointee.code
      }
      if slot.pointee.code == 0 { return 0 }
      place = (place &+ 1) & slotMask
    }
  }

  /// The code of a text of any length, `ByteScan.padding` readable behind it; 0 if it has none.
  @inline(__always)
  func find(_ text: Bytes, length: Int) -> UInt32 {
    if length < 16 { return find(KeyMask(size: length).key(ByteScan.pair(text))) }
    return findLong(text, length: length, tag: UInt32(truncatingIfNeeded: length))
  }

  /// The same for a text that cannot stand in a line as it is, because it has quotes, backslashes
  /// or control characters: it is kept apart, so that `find` never takes such bytes for a value.
  func findEscaped(_ text: Bytes, length: Int) -> UInt32 {
    findLong(text, length: length, tag: Self.escaped | UInt32(truncatingIfNeeded: length))
  }

  @inline(never)
  private func findLong(_ text: Bytes, length: Int, tag: UInt32) -> UInt32 {
    guard length <= Self.longestText else { return 0 }
    let (low, high) = key(text, length, isKeptApart: true)
    var place = self.place(low, high)
    while slots[place].code != 0 {
      let slot = slots[place]
      if slot.low == low, slot.high == high, slot.length == tag,
        ByteScan.equal(Bytes(texts.start) + Int(offsets[Int(slot.code)]), text, length)
      {
        return slot.code
      }
      place = (place &+ 1) & slotMask
    }
    return 0
  }

  /// Gives a text that has none yet a code, with the bits of its value; 0, and the table is full,
  /// if there is no room.
  ///
  /// - Parameters:
  ///   - rows: how many values were looked up so far, or rather more.
  ///   - isEscaped: as for `findEscaped`.
  @inline(never)
  mutating func insert(
    _ text: Bytes, length: Int, bits: UInt64, rows: Int, isEscaped: Bool = false
  ) -> UInt32 {
    guard !isFull, length <= Self.longestText, count <= Self.mostValues,
      texts.count + length <= Self.mostTextBytes, !isHopeless(rows)
    else {
      isFull = true
      return 0
    }
    if count * 2 > slotMask { growSlots() }
    if count == capacity { growValues() }
    let key = key(text, length, isKeptApart: isEscaped)
    // While they are few, each value has the slot that is looked at first.
    while count < Self.fewValues, slotMask < Self.mostSlotsOfFew,
      slots[self.place(key.low, key.high)].code != 0
    {
      growSlots()
    }
    var place = self.place(key.low, key.high)
    var probes = 0
    while slots[place].code != 0 {
      place = (place + 1) & slotMask
      probes += 1
      if probes > Self.mostProbes {
        isFull = true
        return 0
      }
    }
    let code = UInt32(count)
    let tag = UInt32(length) | (isEscaped ? Self.escaped : 0)
    slots[place] = Slot(low: key.low, high: key.high, length: tag, code: code)
    texts.append(text, count: length)
    values.storeBytes(of: bits, toByteOffset: count * 8, as: UInt64.self)
    count += 1
    offsets[count] = UInt32(texts.count)
    return code
  }

  // MARK: -

  /// Whether so few rows had a value of before that there must be many more values than a table
  /// holds: to enter those that it holds would be wasted.
  ///
  /// Of even draws from n values, rows² / 2n repeat one, as long as these are few. A quarter more
  /// than there is room for leaves chance two deviations.
  private func isHopeless(_ rows: Int) -> Bool {
    guard count >= Self.reckonedFrom, count & (count - 1) == 0 else { return false }
    let repeats = Double(max(0, rows - count))
    return Double(rows) * Double(rows) > 2 * repeats * Double(Self.mostValues + Self.mostValues / 4)
  }

  @inline(__always)
  private func place(_ low: UInt64, _ high: UInt64) -> Int {
    let product = (low ^ seed.0).multipliedFullWidth(by: high ^ seed.1)
    // Without the last step numbered names crowd, by one seed in fifty.
    let mixed = (product.high ^ product.low) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32) & slotMask
  }

  private func key(
    _ text: Bytes, _ length: Int, isKeptApart: Bool
  ) -> (low: UInt64, high: UInt64) {
    guard length >= 16 else {
      let key = KeyMask(size: length).key(ByteScan.pair(text))
      return (key[0], isKeptApart ? key[1] | Self.noSize : key[1])
    }
    var state = UInt64(length) ^ seed.0
    var i = 0
    while i + 16 < length {
      let product = (ByteScan.word(text + i) ^ seed.1)
        .multipliedFullWidth(by: ByteScan.word(text + i + 8) ^ state)
      state = product.high ^ product.low
      i += 16
    }
    let tail = text + (length - 16)
    return (state ^ ByteScan.word(tail), ByteScan.word(tail + 8) & ~(0xFF << 56) | Self.noSize)
  }

  private mutating func growSlots() {
    let old = slots
    let oldCount = slotMask + 1
    slotMask = oldCount * 2 - 1
    slots = .allocate(capacity: slotMask + 1)
    slots.initialize(
      repeating: Slot(low: 0, high: 0, length: 0, code: 0), count: slotMask + 1)
    for index in 0..<oldCount where old[index].code != 0 {
      var place = self.place(old[index].low, old[index].high)
      while slots[place].code != 0 { place = (place + 1) & slotMask }
      slots[place] = old[index]
    }
    old.deallocate()
  }

  private mutating func growValues() {
    let larger = capacity * 4
    let movedOffsets = UnsafeMutablePointer<UInt32>.allocate(capacity: larger + 1)
    movedOffsets.update(from: offsets, count: capacity + 1)
    offsets.deallocate()
    offsets = movedOffsets
    let movedValues = UnsafeMutableRawPointer.allocate(byteCount: larger * 8, alignment: 8)
    movedValues.copyMemory(from: values, byteCount: capacity * 8)
    values.deallocate()
    values = movedValues
    capacity = larger
  }
}
