/// A believable retail world: stores around the globe, products that come, go and change their
/// price, customers who return and who leave.
///
/// Everything about it follows from a catalogue and a seed, for any day of the years 2000 to 2099.
/// Making an event costs some tens of nanoseconds; the first one of a UTC day some hundred
/// microseconds more.
public final class RetailWorld: Sendable {
  /// Each product of the catalogue once.
  public let products: [Product]
  /// The shops, by number from 1.
  public let stores: [Store]

  let seed: RandomSeed
  let priceList: PriceList
  let customers: CustomerBase

  private let zones: [ZoneOffsets]
  private let curves: [[Double]]
  private let shares: [Double]
  private let popularity: [Double]
  /// For each product, sixteen quantities of which one is as likely as the other.
  private let quantities: [[UInt32]]

  /// The world of a seed that sells what a catalogue lists.
  ///
  /// - Throws: ``SimulatorError`` where the machine has no time zone data.
  public init(catalogue: ProductCatalogue, seed: UInt64) throws(SimulatorError) {
    let seed = RandomSeed(seed)
    self.seed = seed
    priceList = PriceList(catalogue: catalogue, seed: seed)
    products = priceList.products
    stores = Store.all(seed: seed)
    customers = CustomerBase(storeCount: stores.count, seed: seed)
    var zones: [ZoneOffsets] = []
    for store in stores { zones.append(try ZoneOffsets(store.timeZone)) }
    self.zones = zones
    curves = stores.map(DemandCurve.quarters)
    let weight = stores.map(\.weight).reduce(0, +)
    shares = stores.map { $0.weight / weight }
    popularity = Self.popularity(of: products.count, seed: seed)
    quantities = products.map(Self.quantities)
  }

  /// The purchase that somebody makes at a time of a trading day.
  @inline(__always)
  func event(
    id: UUIDBits, atMicros micros: Int64, on day: TradingDay,
    using streams: inout EventGenerator.Streams
  ) -> PurchaseEvent {
    let store = day.store(atMicros: micros, bits: streams.stores.next())
    let product = day.product(atStore: store, using: &streams.products)
    let bits = streams.customers.next()
    // One in sixteen is on a journey, and shops where he has no home.
    let home = bits & 0xf == 0 ? Int(((bits >> 8 & 0xff) * UInt64(stores.count)) >> 8) : store
    let customer = customers.customer(atStore: home, day: day.day, bits: bits)
    let choice = streams.purchases.next()
    return PurchaseEvent(
      id: id, timestampMicros: micros, store: UInt32(truncatingIfNeeded: store + 1),
      customer: customer, product: product, priceCents: day.prices[product],
      quantity: quantities[product][Int(choice & 0xf)],
      customerForm: customers.form(of: customer, bits: choice >> 8))
  }

  /// Works out a day, given in days since 1970-01-01.
  func tradingDay(_ day: Int64) -> TradingDay {
    let day = Int(day)
    var weights = [Double](repeating: 0, count: TradingDay.quarters * stores.count)
    let isOpen = stores.map { $0.openedOn.daysSinceEpoch <= day }
    // However many stores there are by now, a typical week is one.
    let openShare = zip(shares, isOpen).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
    for index in stores.indices where isOpen[index] {
      // A UTC day is parts of up to three days of a store.
      let factors = (day - 1...day + 1).map {
        DemandCurve.factor(ofDay: $0, in: stores[index].region) * shares[index] / openShare
      }
      for (quarter, offset) in zones[index].quarters(ofDay: day).enumerated() {
        let local = TradingDay.quarters + quarter + Int((Double(offset) / 900).rounded(.down))
        weights[quarter * stores.count + index] =
          factors[local / TradingDay.quarters] * curves[index][local % TradingDay.quarters]
      }
      if let burst = burst(ofStore: index, day: day) {
        for quarter in burst.quarters { weights[quarter * stores.count + index] *= burst.factor }
      }
    }
    let perQuarter = (0..<TradingDay.quarters).map { quarter in
      AliasTable(
        weights: Array(weights[quarter * stores.count..<(quarter + 1) * stores.count]))
    }
    return TradingDay(
      day: Int64(day), intensities: perQuarter.map(\.totalWeight), stores: perQuarter,
      products: AliasTable(weights: demand(day)),
      prices: products.indices.map { priceList.cents(of: $0, day: day) },
      isMissing: shortages(day))
  }

  // MARK: -

  /// When a store is suddenly full: on one day in twelve, for a quarter of an hour to an hour.
  private func burst(ofStore store: Int, day: Int) -> (quarters: Range<Int>, factor: Double)? {
    var random = seed.stream(for: "burst", id: UInt64(store) << 32 | UInt64(day))
    guard random.below(12) == 0 else { return nil }
    let length = 1 + Int(random.below(4))
    let first = Int(random.below(UInt64(TradingDay.quarters - length)))
    return (first..<first + length, 3 + 5 * random.unit())
  }

  /// What each product sells on a day against the others.
  private func demand(_ day: Int) -> [Double] {
    let month = CivilDate(daysSinceEpoch: day).month
    return products.indices.map { index in
      let age = day - priceList.launch(of: index)
      guard age >= 0 else { return 0 }
      var weight = popularity[index]
      weight *= DemandCurve.season(of: products[index].category, month: month)
      // It takes two months until a new product is known.
      weight *= min(1, 0.2 + Double(age) / 75)
      if let percent = priceList.discount(of: index, day: day) {
        weight *= 1 + 0.05 * Double(percent)
      }
      return weight
    }
  }

  /// What a store has run out of: now and then one product, for three days.
  private func shortages(_ day: Int) -> [Bool] {
    stores.indices.flatMap { store in
      products.indices.map { product in
        let number = UInt64(store) << 48 | UInt64(product) << 24 | UInt64((day + product) / 3)
        var random = seed.stream(for: "shortage", id: number)
        return random.below(50) == 0
      }
    }
  }

  /// Zipf's law: the weight of a product falls with its rank, and the seed decides the ranks.
  private static func popularity(of count: Int, seed: RandomSeed) -> [Double] {
    var random = seed.stream(for: "popularity")
    var ranks = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      ranks.swapAt(index, Int(random.below(UInt64(index + 1))))
    }
    return ranks.map { 1 / Double($0 + 1) }
  }

  /// Cheap things are bought by the handful, dear ones one by one.
  private static func quantities(of product: Product) -> [UInt32] {
    switch product.priceCents {
    case ..<1_000: [1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 8]
    case ..<5_000: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4]
    default: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    }
  }
}
