/// Tells whether two members of an object have one name, once escapes are undone.
///
/// A few names are compared with each other; many go through a hash table whose seed differs from
/// process to process (the standard library's SipHash), so that a line of a hundred thousand
/// chosen names takes no longer than one of as many random ones.
struct TwinNames: ~Copyable {
  private struct Name {
    var start: Bytes
    var length: Int
    var hash: Int
  }

  /// Up to how many names are compared with each other.
  private static let few = 12

  private var names: [Name] = []
  private var slots: [UInt32] = []
  private var undone = ByteBuffer(capacity: 256)

  /// Whether two of the members that have no field share a name. `line` is what the members'
  /// offsets count from.
  mutating func occur(
    in members: UnsafeMutablePointer<Member>, count: Int, line: Bytes, lineLength: Int
  ) -> Bool {
    names.removeAll(keepingCapacity: true)
    // Room for all names at once: their places must not move while they are compared.
    undone.count = 0
    undone.reserve(lineLength)
    for member in UnsafeBufferPointer(start: members, count: count) where member.field < 0 {
      let start = line + Int(member.nameStart) + 1
      let close = line + Int(member.nameEnd) - 1
      if member.isNameEscaped {
        let place = undone.start + undone.count
        let size = JSONScanner.unescape(from: start, to: close, into: place)
        undone.count += size
        names.append(Name(start: place, length: size, hash: 0))
      } else {
        names.append(Name(start: start, length: close - start, hash: 0))
      }
    }
    return names.count <= Self.few ? occurAmongFew() : occurAmongMany()
  }

  private func occurAmongFew() -> Bool {
    for i in names.indices.dropFirst() {
      for j in 0..<i where Self.areEqual(names[i], names[j]) { return true }
    }
    return false
  }

  private mutating func occurAmongMany() -> Bool {
    var size = 64
    while size < names.count * 2 { size *= 2 }
    if slots.count < size { slots = Array(repeating: 0, count: size) }
    slots.withUnsafeMutableBufferPointer { $0.prefix(upTo: size).update(repeating: 0) }
    for i in names.indices {
      var hasher = Hasher()
      hasher.combine(bytes: UnsafeRawBufferPointer(start: names[i].start, count: names[i].length))
      names[i].hash = hasher.finalize()
      var slot = names[i].hash & (size - 1)
      while slots[slot] != 0 {
        let other = names[Int(slots[slot]) - 1]
        if other.hash == names[i].hash, Self.areEqual(other, names[i]) { return true }
        slot = (slot + 1) & (size - 1)
      }
      slots[slot] = UInt32(i + 1)
    }
    return false
  }

  private static func areEqual(_ a: Name, _ b: Name) -> Bool {
    a.length == b.length && ByteScan.equal(a.start, b.start, a.length)
  }
}
