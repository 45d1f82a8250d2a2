/// What each product costs on each day, and whether it is sold yet.
///
/// Prices change at midnight UTC. A product's list price is the catalogue's, revised every few
/// months by some percent; in one week of some months of the retail calendar it is on offer.
struct PriceList: Sendable {
  /// Each product once, in the order of the catalogue.
  let products: [Product]

  private let seed: RandomSeed
  /// For each product its rows, the earliest first.
  private let rows: [[Product]]

  init(catalogue: ProductCatalogue, seed: RandomSeed) {
    products = catalogue.products
    self.seed = seed
    let byID = Dictionary(grouping: catalogue.rows, by: \.id)
    rows = catalogue.products.map { product in
      (byID[product.id] ?? [product]).sorted { $0.validFrom < $1.validFrom }
    }
  }

  /// The day from which a product is sold, in days since 1970-01-01.
  func launch(of product: Int) -> Int { rows[product][0].validFrom.daysSinceEpoch }

  /// The price of one piece in cents; before a product's launch, the price it will have then.
  func cents(of product: Int, day: Int) -> Int64 {
    let day = max(day, launch(of: product))
    let row = rows[product].last { $0.validFrom.daysSinceEpoch <= day } ?? rows[product][0]
    let revised = row.priceCents * (1_000 + revision(of: product, day: day)) / 1_000
    // A price ends in nine where it is not the catalogue's own.
    let list = revised == row.priceCents ? revised : revised / 10 * 10 + 9
    guard let percent = discount(of: product, day: day) else { return list }
    return max(1, list * (100 - percent) / 100)
  }

  /// By how many percent a product is cheaper in this week's offer; nil when it is in none.
  func discount(of product: Int, day: Int) -> Int64? {
    let retail = RetailCalendar(daysSinceEpoch: day)
    var random = stream(
      "offer", product, UInt64(bitPattern: Int64(retail.year * 12 + retail.month)))
    guard random.below(4) == 0, Int(random.below(4)) + 1 == retail.weekOfMonth else { return nil }
    return 10 + 5 * Int64(random.below(5))
  }

  /// Thousandths to add to the catalogue's price.
  private func revision(of product: Int, day: Int) -> Int64 {
    var own = stream("revisions", product, 0)
    let length = 90 + Int(own.below(200))
    let period = (day + Int(own.below(UInt64(length)))) / length
    var random = stream("revision", product, UInt64(bitPattern: Int64(period)))
    return [0, 0, 0, -50, -30, 20, 40, 70][Int(random.below(8))]
  }

  private func stream(_ purpose: String, _ product: Int, _ number: UInt64) -> SeededRandom {
    seed.stream(for: purpose, id: UInt64(product) << 32 | number & 0xffff_ffff)
  }
}
