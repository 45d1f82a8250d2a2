/// The retail world that purchases come from.
///
/// An enumeration and no protocol: a world is asked once for every event, and a call through an
/// existential would cost more than making the event.
public enum World: Sendable {
  /// The world of the original script: every store, customer, product and quantity equally likely.
  case plain(PlainWorld)
  /// Stores, customers and products with lives of their own.
  case retail(RetailWorld)

  /// The plain world that sells what a catalogue lists.
  public static func plain(_ catalogue: ProductCatalogue) -> World {
    .plain(PlainWorld(catalogue: catalogue))
  }

  /// A world's name on the command line.
  public enum Name: String, CaseIterable, Codable, Sendable {
    case plain
    case retail
  }

  /// The world's name on the command line.
  public var name: Name {
    switch self {
    case .plain: .plain
    case .retail: .retail
    }
  }

  /// What the world sells; an event's ``PurchaseEvent/product`` is an index into it.
  public var products: [Product] {
    switch self {
    case .plain(let world): world.products
    case .retail(let world): world.products
    }
  }

  /// What a product costs at a time, in cents.
  func priceCents(of product: Int, atMicros micros: Int64) -> Int64 {
    switch self {
    case .plain(let world): world.products[product].priceCents
    case .retail(let world):
      world.priceList.cents(
        of: product, day: Int(CivilDate.daysSinceEpoch(ofMicros: micros)))
    }
  }

  /// A number that differs between worlds whose lines would differ for the same events.
  var fingerprint: UInt64 {
    var hash = FNV1a.hash(name.rawValue.utf8)
    for product in products {
      for text in [product.id, product.category] {
        hash = FNV1a.hash(text.utf8, from: hash)
        hash = FNV1a.hash([0], from: hash)
      }
    }
    if case .retail(let world) = self { hash ^= SplitMix64.mix(world.seed.value) }
    return hash
  }
}
