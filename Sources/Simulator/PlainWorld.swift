/// The world of the original script: ten stores, five thousand customers, one to five pieces of one
/// product, all drawn uniformly and independently, at prices that never change.
public struct PlainWorld: Hashable, Sendable {
  /// Each product of the catalogue once, at the first price it had.
  public let products: [Product]

  /// How many stores there are: `S001` to `S010`.
  public static let storeCount = 10
  /// How many customers there are: `C000001` to `C005000`.
  public static let customerCount = 5_000
  /// The most pieces that one purchase has.
  public static let maximumQuantity = 5

  /// The world that sells what a catalogue lists.
  public init(catalogue: ProductCatalogue) {
    products = catalogue.products
  }

  @inline(__always)
  func event(id: UUIDBits, atMicros micros: Int64, using random: inout SeededRandom)
    -> PurchaseEvent
  {
    let store = 1 + random.below(UInt64(Self.storeCount))
    let customer = 1 + random.below(UInt64(Self.customerCount))
    let product = Int(random.below(UInt64(products.count)))
    let quantity = 1 + random.below(UInt64(Self.maximumQuantity))
    return PurchaseEvent(
      id: id, timestampMicros: micros, store: UInt32(truncatingIfNeeded: store),
      customer: UInt32(truncatingIfNeeded: customer), product: product,
      priceCents: products[product].priceCents, quantity: UInt32(truncatingIfNeeded: quantity))
  }
}
