/// One of the files that tell what a retail world knows beyond the nine fields of its events.
///
/// CSV with a header, fields quoted where they have to be, lines ended by LF. The same seed,
/// catalogue and years give the same bytes.
public struct DimensionFile: Hashable, Sendable {
  /// What a file lists.
  public enum Name: String, CaseIterable, Hashable, Sendable {
    /// One row a product and period of one price: `product_id,name,category,price,valid_from`, where
    /// `valid_from` is an RFC 3339 instant in UTC. A product's first row is its launch.
    case products
    /// One row a store: `store_id,name,region,timezone,opens,closes,opened_on`; hours are `HH:MM` in
    /// the store's own time.
    case stores
    /// One row an id that another channel has for a customer: `alias,customer_id,channel`.
    case customerIdentities = "customer_identities"
  }

  /// What the file lists.
  public let name: Name
  /// The file.
  public let bytes: [UInt8]

  /// Every file of a world.
  ///
  /// - Parameter years: for which years prices are listed; prices that began before are listed from
  ///   the first day on.
  public static func all(of world: RetailWorld, years: ClosedRange<Int>) -> [DimensionFile] {
    [
      DimensionFile(.products, "product_id,name,category,price,valid_from", products(world, years)),
      DimensionFile(
        .stores, "store_id,name,region,timezone,opens,closes,opened_on",
        world.stores.map { store in
          [
            store.id, store.name, store.region.rawValue, store.timeZone,
            "\(CivilDate.padded(store.opens, to: 2)):00",
            "\(CivilDate.padded(store.closes, to: 2)):00", store.openedOn.description,
          ]
        }),
      DimensionFile(
        .customerIdentities, "alias,customer_id,channel",
        world.customers.aliases.map { form, number in
          [form.text(of: number), CustomerForm.canonical.text(of: number), form.channel ?? ""]
        }),
    ]
  }

  private init(_ name: Name, _ header: String, _ rows: [[String]]) {
    self.name = name
    var text = header + "\n"
    for row in rows { text += row.map(Self.quoted).joined(separator: ",") + "\n" }
    bytes = Array(text.utf8)
  }

  private static func products(_ world: RetailWorld, _ years: ClosedRange<Int>) -> [[String]] {
    let first = CivilDate(year: years.lowerBound, month: 1, day: 1)?.daysSinceEpoch ?? 0
    let end = CivilDate(year: years.upperBound + 1, month: 1, day: 1)?.daysSinceEpoch ?? 0
    return world.products.indices.flatMap { index in
      let product = world.products[index]
      var rows: [[String]] = []
      var last: Int64?
      let launch = world.priceList.launch(of: index)
      for day in stride(from: max(first, launch), to: end, by: 1) {
        let cents = world.priceList.cents(of: index, day: day)
        if cents == last { continue }
        last = cents
        rows.append([
          product.id, product.name, product.category,
          "\(cents / 100).\(CivilDate.padded(Int(cents % 100), to: 2))",
          "\(CivilDate(daysSinceEpoch: day))T00:00:00Z",
        ])
      }
      return rows
    }
  }

  private static func quoted(_ field: String) -> String {
    let special = field.utf8.contains { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }
    return special ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
  }
}
