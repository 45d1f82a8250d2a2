import Lake
public import ObjectStore

/// A dimension: a CSV file below `dimensions/` in the lake, and the table that holds it.
public struct DimensionTable: Sendable, Hashable {
  /// A column of the file, and of the table.
  struct Column: Sendable, Hashable {
    let name: String
    let type: String
    /// The text as the table's type; null where it is none.
    let value: String
    let isRequired: Bool
    /// What the text must be, for a person.
    let form: String
  }

  /// The file's name without its ending, such as `products`.
  public let name: String
  /// Where the file is in the lake.
  public let key: ObjectKey
  let columns: [Column]

  /// The table, such as `retail.raw.raw_products`.
  public var table: String { "retail.raw.raw_\(name)" }

  public static let all = [products, stores, customerIdentities]

  /// One row for each product and each period of one price: `valid_from` is its begin, in UTC.
  public static let products = DimensionTable(
    name: "products", key: LakeLayout.products,
    columns: [
      text("product_id", isRequired: true), text("name"), text("category"),
      Column(
        name: "price", type: "DECIMAL(18, 2)", value: "TRY_CAST(price AS DECIMAL(18, 2))",
        isRequired: false, form: "an amount"),
      Column(
        name: "valid_from", type: "TIMESTAMP",
        value: finite("TRY_CAST(valid_from AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"), isRequired: true,
        form: "an instant such as 2026-01-31T00:00:00Z"),
    ])

  /// One row for each store.
  public static let stores = DimensionTable(
    name: "stores", key: LakeLayout.stores,
    columns: [
      text("store_id", isRequired: true), text("name"), text("region"),
      Column(
        name: "timezone", type: "VARCHAR",
        value: "CASE WHEN timezone IN (SELECT name FROM pg_timezone_names()) THEN timezone END",
        isRequired: false, form: "a time zone such as Europe/Berlin"),
      clock("opens"), clock("closes"),
      Column(
        name: "opened_on", type: "DATE", value: finite("TRY_CAST(opened_on AS DATE)"),
        isRequired: false, form: "a date such as 2026-01-31"),
    ])

  /// One row for each identifier under which a customer is known in a channel.
  public static let customerIdentities = DimensionTable(
    name: "customer_identities", key: LakeLayout.customerIdentities,
    columns: [
      text("alias", isRequired: true), text("customer_id", isRequired: true), text("channel"),
    ])

  private static func text(_ name: String, isRequired: Bool = false) -> Column {
    Column(name: name, type: "VARCHAR", value: name, isRequired: isRequired, form: "a text")
  }

  private static func clock(_ name: String) -> Column {
    Column(
      name: name, type: "VARCHAR",
      value: "CASE WHEN regexp_full_match(\(name), '([01][0-9]|2[0-3]):[0-5][0-9]|24:00') "
        + "THEN \(name) END",
      isRequired: false, form: "a time of day such as 09:30")
  }

  /// Neither `infinity` nor a year that other engines do not know.
  private static func finite(_ value: String) -> String {
    "CASE WHEN isfinite(\(value)) AND year(\(value)) BETWEEN 1 AND 9999 THEN \(value) END"
  }
}
