/// One purchase as a world makes it: numbers only, so that making it allocates nothing.
///
/// ``EventWriter`` gives the numbers their text.
public struct PurchaseEvent: Hashable, Codable, Sendable {
  /// The event's id; its text is `event_id`.
  public var id: UUIDBits
  /// When it was bought, in microseconds since 1970-01-01T00:00:00Z; its text is `ts`.
  public var timestampMicros: Int64
  /// The store's number: 4 is `S004`.
  public var store: UInt32
  /// The customer's number: 42 is `C000042`.
  public var customer: UInt32
  /// The product's place in its world's ``World/products``.
  public var product: Int
  /// The price of one piece, in cents.
  public var priceCents: Int64
  /// How many pieces, at least 1.
  public var quantity: UInt32
  /// How the customer's id is written.
  public var customerForm: CustomerForm

  /// Takes the values as they are.
  public init(
    id: UUIDBits, timestampMicros: Int64, store: UInt32, customer: UInt32, product: Int,
    priceCents: Int64, quantity: UInt32, customerForm: CustomerForm = .canonical
  ) {
    self.id = id
    self.timestampMicros = timestampMicros
    self.store = store
    self.customer = customer
    self.product = product
    self.priceCents = priceCents
    self.quantity = quantity
    self.customerForm = customerForm
  }

  /// The price of all pieces, in cents.
  public var totalCents: Int64 { priceCents * Int64(quantity) }
}
