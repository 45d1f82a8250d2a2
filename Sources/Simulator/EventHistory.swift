/// A bounded choice of the clean events made so far, for faults that repeat one.
///
/// Once it is full, one event in 32 takes the place of a random one, so that most of what it holds
/// is thousands of events old: a repeat comes from the same object as well as from long before.
struct EventHistory: Hashable, Codable, Sendable {
  /// An event and the line on which it stands.
  struct Entry: Hashable, Codable, Sendable {
    var event: PurchaseEvent
    var objectID: UUIDBits
    var objectArrivalMicros: Int64
    var line: Int
  }

  static let capacity = 256
  private static let admission: UInt64 = 32

  private(set) var entries: [Entry] = []

  mutating func record(_ entry: Entry, using random: inout SeededRandom) {
    if entries.count < Self.capacity {
      entries.append(entry)
    } else if random.below(Self.admission) == 0 {
      entries[Int(random.below(UInt64(Self.capacity)))] = entry
    }
  }

  func pick(using random: inout SeededRandom) -> Entry? {
    entries.isEmpty ? nil : random.pick(entries)
  }
}
