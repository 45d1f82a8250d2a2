/// Counts the rescued members of one object by name, in bounded memory.
struct RescueTally: ~Copyable {
  /// How many names that are no field's are told apart.
  static let mostUnknownNames = 256
  /// How long such a name may be, in bytes.
  static let longestUnknownName = 256

  private let fieldCount: Int
  private let ofField: UnsafeMutablePointer<Int>
  private var others = 0
  /// Names are told apart by a hash with a seed of this process; equal hashes are compared.
  private var slots: [UInt16] = Array(repeating: 0, count: 1024)
  private var names: [(hash: Int, start: Int, length: Int, count: Int)] = []
  /// Where the last name of each of sixteen kinds is in `names`, plus 1: it is mostly the same.
  private let recent: UnsafeMutablePointer<Int>
  private var texts = ByteBuffer(capacity: 1024)

  init(fieldCount: Int) {
    self.fieldCount = fieldCount
    ofField = .allocate(capacity: max(1, fieldCount))
    ofField.initialize(repeating: 0, count: max(1, fieldCount))
    recent = .allocate(capacity: 16)
    recent.initialize(repeating: 0, count: 16)
  }

  deinit {
    ofField.deallocate()
    recent.deallocate()
  }

  @inline(__always)
  func add(field: Int) {
    ofField[field] += 1
  }

  /// Counts an unknown name, given with its escapes undone and `ByteScan.padding` behind it.
  mutating func add(name: Bytes, length: Int) {
    let kind = Int(truncatingIfNeeded: ByteScan.word(name) ^ UInt64(length)) & 15
    let last = recent[kind] - 1
    if last >= 0, names[last].length == length,
      ByteScan.equal(texts.start + names[last].start, name, length)
    {
      names[last].count += 1
    } else {
      recent[kind] = find(name, length) + 1
    }
  }

  /// Counts a name by search; where it is in `names`, or -1.
  private mutating func find(_ name: Bytes, _ length: Int) -> Int {
    guard length <= Self.longestUnknownName else {
      others += 1
      return -1
    }
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(start: name, count: length))
    let hash = hasher.finalize()
    var slot = hash & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      let known = names[index]
      if known.hash == hash, known.length == length,
        ByteScan.equal(texts.start + known.start, name, length)
      {
        names[index].count += 1
        return index
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard names.count < Self.mostUnknownNames else {
      others += 1
      return -1
    }
    names.append((hash, texts.count, length, 1))
    texts.append(name, count: length)
    slots[slot] = UInt16(names.count)
    return names.count - 1
  }

  /// Puts the counts into `counts.rescued`.
  func report(into counts: inout LineCounts, fieldNames: [String]) {
    for field in 0..<fieldCount where ofField[field] > 0 {
      counts.rescued[fieldNames[field], default: 0] += ofField[field]
    }
    for name in names {
      let text = UnsafeBufferPointer(start: texts.start + name.start, count: name.length)
      counts.rescued[String(decoding: text, as: UTF8.self), default: 0] += name.count
    }
    if others > 0 { counts.rescued[LineCounts.otherNames, default: 0] += others }
  }

  mutating func reset() {
    ofField.update(repeating: 0, count: fieldCount)
    others = 0
    guard !names.isEmpty else { return }
    recent.update(repeating: 0, count: 16)
    names.removeAll(keepingCapacity: true)
    texts.count = 0
    for slot in slots.indices { slots[slot] = 0 }
  }
}
