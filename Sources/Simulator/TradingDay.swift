/// One UTC day of the retail world, worked out before its first event: how much is bought when and
/// where, what is in stock, and what it costs.
final class TradingDay: Sendable {
  /// The quarters of an hour of a day.
  static let quarters = 96
  static let microsPerQuarter = CivilDate.microsPerDay / Int64(quarters)

  /// The day, counted from 1970-01-01.
  let day: Int64
  /// The intensity of each quarter of an hour: 1 is the mean of a typical week.
  let intensities: [Double]
  /// The price of each product in cents.
  let prices: [Int64]

  private let stores: [AliasTable]
  private let products: AliasTable
  /// By store, then product: whether the store has run out of it.
  private let isMissing: [Bool]

  init(
    day: Int64, intensities: [Double], stores: [AliasTable], products: AliasTable,
    prices: [Int64], isMissing: [Bool]
  ) {
    self.day = day
    self.intensities = intensities
    self.stores = stores
    self.products = products
    self.prices = prices
    self.isMissing = isMissing
  }

  /// Where somebody buys, as an index into the world's stores.
  @inline(__always)
  func store(atMicros micros: Int64, bits: UInt64) -> Int {
    let quarter = (micros - day * CivilDate.microsPerDay) / Self.microsPerQuarter
    return stores[Int(quarter)].choice(of: bits)
  }

  /// What somebody buys at a store, as an index into the world's products.
  @inline(__always)
  func product(atStore store: Int, using random: inout SeededRandom) -> Int {
    var product = products.choice(of: random.next())
    // Whoever does not find it takes something else, sooner or later.
    for _ in 0..<4 where isMissing[store * prices.count + product] {
      product = products.choice(of: random.next())
    }
    return product
  }
}
