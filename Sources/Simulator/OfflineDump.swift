/// A till that was without a connection and now sends what it sold meanwhile.
struct OfflineDump: Hashable, Codable, Sendable {
  /// How many purchases a till sends on average.
  static let meanLength = 20

  /// The store's number.
  let store: UInt32
  private let startMicros: Int64
  private let spacingMicros: Int64
  private let length: Int
  private var sent = 0

  /// - Parameter nowMicros: when the connection is back.
  init(store: UInt32, nowMicros: Int64, using random: inout SeededRandom) {
    self.store = store
    length = Self.meanLength - 10 + Int(random.below(21))
    let hours = 1 + Int64(random.below(8))
    startMicros = nowMicros - hours * CivilDate.microsPerHour
    spacingMicros = hours * CivilDate.microsPerHour / Int64(length)
  }

  /// Whether everything is sent.
  var isOver: Bool { sent == length }

  /// When the next purchase happened: the first one hours ago, the last one just now.
  mutating func next(using random: inout SeededRandom) -> Int64 {
    defer { sent += 1 }
    return startMicros + Int64(sent) * spacingMicros
      + Int64(random.below(UInt64(spacingMicros)))
  }
}
