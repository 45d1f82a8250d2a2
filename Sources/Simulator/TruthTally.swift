/// What silver and gold must make of the lines of one object, added up as they are written.
///
/// Duplicates and conflicts come after the line that wins and add nothing; neither do quarantined
/// and blank lines. An amount or quantity that is missing or broken counts 0.
struct TruthTally: Sendable {
  /// For each product its category's place in `categories`.
  private let categoryOfProduct: [Int]
  /// Each category as silver writes it; the last one stands for events without a category.
  private let categories: [String?]

  private var day: Int64?
  private var sums: [ObjectTruth.Sums]
  private var otherDays: [Int64: [ObjectTruth.Sums]] = [:]

  init(products: [Product]) {
    var names: [String] = []
    categoryOfProduct = products.map { product in
      let name = String(
        product.category.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
      ).lowercased()
      if let place = names.firstIndex(of: name) { return place }
      names.append(name)
      return names.count - 1
    }
    categories = names + [nil]
    sums = Array(repeating: ObjectTruth.Sums(), count: categories.count)
  }

  /// Adds an accepted line of a purchase, but for one field that did not make it into bronze.
  @inline(__always)
  mutating func add(_ event: PurchaseEvent, without field: DraftLine.Field? = nil) {
    let eventDay = CivilDate.daysSinceEpoch(ofMicros: event.timestampMicros)
    if eventDay != day { turn(to: eventDay) }
    let category =
      field == .category ? categories.count - 1 : categoryOfProduct[event.product]
    sums[category].transactions += 1
    if field != .totalAmount { sums[category].revenueCents += event.totalCents }
    if field != .quantity { sums[category].units += Int(event.quantity) }
  }

  private mutating func turn(to next: Int64) {
    if let day { otherDays[day] = sums }
    day = next
    sums =
      otherDays.removeValue(forKey: next)
      ?? Array(repeating: ObjectTruth.Sums(), count: categories.count)
  }

  /// The sums so far; the tally starts again at nothing.
  mutating func take() -> ObjectTruth {
    if let day { otherDays[day] = sums }
    var truth = ObjectTruth()
    for (day, sums) in otherDays {
      let date = CivilDate(daysSinceEpoch: Int(day)).description
      for (category, sums) in zip(categories, sums) where sums.transactions > 0 {
        truth.groups[ObjectTruth.Group(day: date, category: category)] = sums
      }
    }
    otherDays.removeAll(keepingCapacity: true)
    day = nil
    sums = Array(repeating: ObjectTruth.Sums(), count: categories.count)
    return truth
  }
}
