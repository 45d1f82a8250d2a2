/// Finds a contract field by its name as it stands in a line, first by a guess.
///
/// The guess is the field that followed the last one in the line before: most lines of an object
/// have one order, whatever unknown names stand between, and comparing a guess costs less than
/// finding where the name ends.
///
/// Pointers instead of arrays, for the line loop: sound, since they are allocated once, here, and
/// indexed only with fields and slots of this table.
struct FieldNames: ~Copyable {
  /// A name's first sixteen bytes, its closing quote included, as masked words.
  private struct Entry {
    var words = SIMD2<UInt64>(0, 0)
    var mask = SIMD2<UInt64>(0, 0)
    /// Bytes of the name without its quote.
    var length = 0
    /// All of the name and its quote, for what the words do not hold.
    var text: Bytes
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let count: Int
  private let texts: UnsafeMutablePointer<UInt8>
  /// Open addressing: field + 1, or 0. Only the contract's names are in it, so no line can make
  /// its chains longer.
  private let slots: UnsafeMutablePointer<Int32>
  private let slotMask: Int
  /// The guess after nothing, and after each field.
  private let followers: UnsafeMutablePointer<Int32>

  init(_ names: [String]) {
    count = names.count
    entries = .allocate(capacity: max(1, count))
    texts = .allocate(capacity: names.reduce(1) { $0 + $1.utf8.count + 1 })
    var slotCount = 4
    while slotCount < count * 4 { slotCount *= 2 }
    slotMask = slotCount - 1
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    followers = .allocate(capacity: count + 1)

    var text = texts
    for (field, name) in names.enumerated() {
      var entry = Entry(length: name.utf8.count, text: Bytes(text))
      for (i, byte) in name.utf8.enumerated() { text[i] = byte }
      text[entry.length] = UInt8(ascii: "\"")
      for i in 0..<min(16, entry.length + 1) {
        entry.words[i / 8] |= UInt64(text[i]) << UInt64(i % 8 * 8)
        entry.mask[i / 8] |= 0xFF << UInt64(i % 8 * 8)
      }
      (entries + field).initialize(to: entry)
      var slot = Self.hash(entry.words[0] & Self.mask(entry.length), entry.length) & slotMask
      while slots[slot] != 0 { slot = (slot + 1) & slotMask }
      slots[slot] = Int32(field + 1)
      followers[field] = Int32(field)
      text += entry.length + 1
    }
    followers[count] = 0
  }

  deinit {
    entries.deallocate()
    texts.deallocate()
    slots.deallocate()
    followers.deallocate()
  }

  /// The guess for the next field after field `previous - 1`; 0 is before the first.
  @inline(__always)
  func follower(of previous: Int) -> Int {
    Int(followers[previous])
  }

  /// Remembers what came after a name, for the next guess.
  @inline(__always)
  func learn(_ field: Int, after previous: Int) {
    followers[previous] = Int32(truncatingIfNeeded: field)
  }

  /// The bytes of a field's name, without its closing quote.
  @inline(__always)
  func length(of field: Int) -> Int {
    entries[field].length
  }

  /// Whether the name at `p`, after its opening quote, is exactly that of `field`.
  ///
  /// Contract names need no escapes, so equal bytes up to the closing quote are an equal name.
  @inline(__always)
  func matches(_ p: Bytes, field: Int) -> Bool {
    let entry = entries + field
    let low = (ByteScan.word(p) ^ entry.pointee.words[0]) & entry.pointee.mask[0]
    let high = (ByteScan.word(p + 8) ^ entry.pointee.words[1]) & entry.pointee.mask[1]
    guard low | high == 0 else { return false }
    if entry.pointee.length < 16 { return true }
    return matchesRest(p, field: field)
  }

  @inline(never)
  private func matchesRest(_ p: Bytes, field: Int) -> Bool {
    // Byte by byte from the left: it stops before it could leave the line.
    let entry = entries + field
    for i in 16...entry.pointee.length where p[i] != entry.pointee.text[i] { return false }
    return true
  }

  /// The field whose name is the `length` bytes at `p`, which a quote follows, or -1.
  @inline(__always)
  func find(_ p: Bytes, length: Int) -> Int {
    var slot = Self.hash(ByteScan.word(p) & Self.mask(length), length) & slotMask
    while slots[slot] != 0 {
      let field = Int(slots[slot]) - 1
      if entries[field].length == length, matches(p, field: field) { return field }
      slot = (slot + 1) & slotMask
    }
    return -1
  }

  /// Keeps the bytes of a word that belong to a name of `length` bytes.
  @inline(__always)
  private static func mask(_ length: Int) -> UInt64 {
    length >= 8 ? ~0 : (1 << UInt64(length * 8)) - 1
  }

  @inline(__always)
  private static func hash(_ word: UInt64, _ length: Int) -> Int {
    let mixed = (word ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 40)
  }
}
