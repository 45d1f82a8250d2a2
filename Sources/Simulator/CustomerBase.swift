/// The customers of the retail world: who shops where, how often, and until when.
///
/// Each store has as many, at home there. A few of them make most of a store's sales. A customer
/// comes for some months or years, stays away for some, and may come back. All of that is worked out
/// from the number and the seed, so it needs no memory and holds for any year.
struct CustomerBase: Sendable {
  /// How many customers have their home at one store.
  static let perStore = 600
  /// Has no factor in common with the number of customers, so numbers are spread over the stores.
  private static let spread: UInt64 = 48_271

  private let count: UInt64
  private let key: UInt64

  init(storeCount: Int, seed: RandomSeed) {
    count = UInt64(storeCount * Self.perStore)
    var random = seed.stream(for: "customers")
    key = random.next()
  }

  /// The number of the customer who shops at a store, by 64 random bits.
  @inline(__always)
  func customer(atStore store: Int, day: Int64, bits: UInt64) -> UInt32 {
    // The square of a number from 0 to 1: the first of a store come far more often than the last.
    let unit = Double(bits >> 11) * 0x1p-53
    var place = UInt64(unit * unit * Double(Self.perStore))
    // Of those who stay away just now the next takes the turn.
    for _ in 0..<16 {
      let number = number(UInt64(store * Self.perStore) + place)
      if isActive(number, day: day) { return number }
      place = (place + 1) % UInt64(Self.perStore)
    }
    return number(UInt64(store * Self.perStore) + place)
  }

  @inline(__always)
  private func number(_ place: UInt64) -> UInt32 {
    1 + UInt32(truncatingIfNeeded: place * Self.spread % count)
  }

  /// Whether a customer shops on a day at all.
  @inline(__always)
  func isActive(_ number: UInt32, day: Int64) -> Bool {
    let traits = SplitMix64.mix(key &+ UInt64(number))
    let period = 300 + traits & 0x3ff
    let phase = traits >> 10 & 0x7ff
    let active = (period * (5 + (traits >> 21 & 3))) >> 3
    return (UInt64(bitPattern: day &+ 1_000_000) + phase) % period < active
  }

  /// Which ids beside their own a customer goes by.
  @inline(__always)
  private func traits(_ number: UInt32) -> UInt64 {
    SplitMix64.mix(key ^ UInt64(number) << 32)
  }

  /// How the customer's id arrives this time, by 8 random bits.
  @inline(__always)
  func form(of number: UInt32, bits: UInt64) -> CustomerForm {
    let draw = UInt8(truncatingIfNeeded: bits)
    if draw >= 26 { return .canonical }
    switch draw {
    case 0..<5: return .lowerCase
    case 5..<10: return .padded
    case 10..<20: return hasAlias(.web, number) ? .web : .canonical
    default: return hasAlias(.app, number) ? .app : .canonical
    }
  }

  /// Whether a customer also has an id of another channel.
  @inline(__always)
  func hasAlias(_ form: CustomerForm, _ number: UInt32) -> Bool {
    switch form {
    case .web: traits(number) & 1 == 0
    case .app: traits(number) & 6 == 0
    default: false
    }
  }

  /// Every id of another channel, with the customer it belongs to, by customer.
  var aliases: [(form: CustomerForm, number: UInt32)] {
    (1...UInt32(count)).flatMap { number in
      [CustomerForm.web, .app].filter { hasAlias($0, number) }.map { ($0, number) }
    }
  }
}
