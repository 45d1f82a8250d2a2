/// One row of the product catalogue: a product at the price it has from a day on.
public struct Product: Hashable, Sendable {
  /// The id that events carry, such as `P100`.
  public let id: String
  /// The name for people.
  public let name: String
  /// The category that events carry, such as `electronics`.
  public let category: String
  /// The price of one piece, in cents.
  public let priceCents: Int64
  /// The UTC date from which the price holds.
  public let validFrom: CivilDate

  /// Takes the values as they are; ``ProductCatalogue`` is what checks them.
  public init(
    id: String, name: String, category: String, priceCents: Int64, validFrom: CivilDate
  ) {
    self.id = id
    self.name = name
    self.category = category
    self.priceCents = priceCents
    self.validFrom = validFrom
  }
}
