/// The retail world that purchases come from.
///
/// An enumeration and no protocol: a world is asked once for every event, and a call through an
/// existential would cost more than making the event.
public enum World: Sendable {
  /// The world of the original script: every store, customer, product and quantity equally likely.
  case plain(PlainWorld)

  /// The plain world that sells what a catalogue lists.
  public static func plain(_ catalogue: ProductCatalogue) -> World {
    .plain(PlainWorld(catalogue: catalogue))
  }

  /// The world's name on the command line.
  public var name: String {
    switch self {
    case .plain: "plain"
    }
  }

  /// What the world sells; an event's ``PurchaseEvent/product`` is an index into it.
  public var products: [Product] {
    switch self {
    case .plain(let world): world.products
    }
  }

  /// The next purchase, made at a given time.
  @inline(__always)
  func event(id: UUIDBits, atMicros micros: Int64, using random: inout SeededRandom)
    -> PurchaseEvent
  {
    switch self {
    case .plain(let world): world.event(id: id, atMicros: micros, using: &random)
    }
  }

  /// A number that differs between worlds whose lines would differ for the same events.
  var fingerprint: UInt64 {
    var hash = FNV1a.hash(name.utf8)
    for product in products {
      for text in [product.id, product.category] {
        hash = FNV1a.hash(text.utf8, from: hash)
        hash = FNV1a.hash([0], from: hash)
      }
    }
    return hash
  }
}
