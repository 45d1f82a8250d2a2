import DuckDB
import Flow
import Foundation
import Lake
import ObjectStore
import Warehouse

/// Answers questions about the published gold, from its Parquet files: nobody waits for the
/// warehouse, and a refresh is seen as a whole or not at all.
actor GoldReader {
  /// One day, product, store and so on, with its measures.
  struct Line: Sendable, Equatable {
    /// By which a view is narrowed to it.
    let id: String
    /// How a person knows it.
    let name: String
    /// What splits it: the category of a day's revenue, else of a product.
    let group: String
    let transactions: Int
    let units: Int
    /// With two decimals.
    let revenue: String
  }

  /// What a view shows.
  struct Sales: Sendable, Equatable {
    var refresh: String
    var publishedAt: String
    var total: Line
    var days: [Line] = []
    var hours: [Line] = []
    var products: [Line] = []
    var stores: [Line] = []
    var segments: [Line] = []
    var categories: [Line] = []
  }

  private static let mostProducts = 20
  private static let mostDays = 92

  private let lake: Lake
  private var connection: DuckDBConnection?
  private var snapshot: GoldSnapshot?
  /// Keeps the files of this host for as long as they are read.
  private var files: [String: LocalFile] = [:]
  /// Answers, by what was asked of which files: most refreshes change one table.
  private var answers: [Question: [Line]] = [:]

  private struct Question: Hashable {
    let files: [String]
    let sql: String
    let parameters: [String?]
  }

  private static let mostAnswers = 1000

  init(lake: Lake) { self.lake = lake }

  /// The refresh that is published now; nil before the first. Questions are answered from it until
  /// this is asked again.
  func refresh() async throws -> String? {
    guard let current = try await GoldSnapshot.current(in: lake) else { return nil }
    if current != snapshot {
      let files = try await current.localFiles(in: lake)
      let connection = try self.connection ?? Self.open()
      for (name, table) in current.tables {
        let paths = table.files.map { (files[$0]?.path ?? $0).sqlLiteral }.joined(separator: ", ")
        try connection.execute(
          """
          CREATE OR REPLACE VIEW \(name.sqlName) AS
          SELECT * FROM read_parquet([\(paths)], hive_partitioning = false)
          """)
      }
      self.connection = connection
      self.files = files
      snapshot = current
    }
    return current.refresh.text
  }

  /// What a view shows; nil before the first refresh.
  func sales(_ view: View) throws -> Sales? {
    guard let snapshot, let connection else { return nil }
    /// Nothing where one of the tables is not published.
    func lines(_ tables: [String], _ sql: String, _ parameters: [String?]) throws -> [Line] {
      let found = tables.compactMap { snapshot.tables[$0]?.files }
      if found.count < tables.count { return [] }
      let question = Question(files: found.flatMap(\.self), sql: sql, parameters: parameters)
      if let answer = answers[question] { return answer }
      let values = parameters.map { $0.map(DuckDBValue.text) ?? .null }
      let answer = try connection.query(sql, values).map { row in
        Line(
          id: row[0].text ?? "", name: row[1].text ?? "", group: row[2].text ?? "",
          transactions: row[3].int ?? 0, units: row[4].int ?? 0, revenue: row[5].text ?? "0.00")
      }
      if answers.count >= Self.mostAnswers { answers.removeAll() }
      answers[question] = answer
      return answer
    }
    let range = [view.from, view.to]
    var sales = Sales(
      refresh: snapshot.refresh.text, publishedAt: snapshot.publishedAt, total: Self.nothing)
    sales.total =
      try lines(
        ["purchases_gold"],
        """
        SELECT '', '', '', \(Self.measures) FROM purchases_gold
        WHERE \(Self.isIn("day")) AND ($3 IS NULL OR category = $3)
        """, range + [view.category]
      ).first ?? Self.nothing
    sales.categories = try lines(
      ["purchases_gold"],
      """
      SELECT coalesce(category, ''), coalesce(category, '(none)'), '', \(Self.measures)
      FROM purchases_gold WHERE \(Self.isIn("day")) GROUP BY category
      ORDER BY sum(revenue) DESC, category
      """, range)
    sales.days = try days(view, range, lines)
    sales.hours = try lines(
      ["hourly_sales_gold"],
      """
      SELECT format('{:02d}', business_hour), format('{:02d}:00', business_hour), '',
        \(Self.measures)
      FROM hourly_sales_gold
      WHERE \(Self.isIn("business_date")) AND ($3 IS NULL OR store_id = $3)
      GROUP BY business_hour ORDER BY business_hour
      """, range + [view.store])
    sales.products = try lines(
      ["product_metrics_gold", "products_gold"],
      """
      SELECT product_id, coalesce(any_value(name), product_id),
        coalesce(any_value(category), ''), \(Self.measures)
      FROM product_metrics_gold LEFT JOIN products_gold USING (product_id)
      WHERE \(Self.isIn("business_date")) AND ($3 IS NULL OR category = $3)
      GROUP BY product_id ORDER BY sum(revenue) DESC, product_id LIMIT \(Self.mostProducts)
      """, range + [view.category])
    sales.stores = try lines(
      ["store_metrics_gold", "stores_gold"],
      """
      SELECT store_id, coalesce(any_value(name), store_id), coalesce(any_value(region), ''),
        \(Self.measures)
      FROM store_metrics_gold LEFT JOIN stores_gold USING (store_id)
      WHERE \(Self.isIn("business_date"))
      GROUP BY store_id ORDER BY sum(revenue) DESC, store_id
      """, range)
    sales.segments = try lines(
      ["customers_gold"],
      """
      SELECT rfm_segment, rfm_segment, '', count(*), CAST(coalesce(sum(orders), 0) AS BIGINT),
        CAST(CAST(coalesce(sum(lifetime_value), 0) AS DECIMAL(38, 2)) AS VARCHAR)
      FROM customers_gold GROUP BY 1 ORDER BY sum(lifetime_value) DESC, 1
      """, [])
    return sales
  }

  // MARK: -

  /// The newest days: by category, or of the one store or product that a view is about.
  private func days(
    _ view: View, _ range: [String?],
    _ lines: ([String], String, [String?]) throws -> [Line]
  ) throws -> [Line] {
    for (table, key, value) in [
      ("product_metrics_gold", "product_id", view.product),
      ("store_metrics_gold", "store_id", view.store),
    ] {
      guard let value else { continue }
      return try lines(
        [table],
        """
        SELECT CAST(business_date AS VARCHAR), CAST(business_date AS VARCHAR), \(key),
          \(Self.measures)
        FROM \(table) WHERE \(Self.isIn("business_date")) AND \(key) = $3
        GROUP BY business_date, \(key)
        QUALIFY dense_rank() OVER (ORDER BY business_date DESC) <= \(Self.mostDays)
        ORDER BY business_date DESC
        """, range + [value])
    }
    return try lines(
      ["purchases_gold"],
      """
      SELECT CAST(day AS VARCHAR), CAST(day AS VARCHAR), coalesce(category, ''), \(Self.measures)
      FROM purchases_gold WHERE \(Self.isIn("day")) AND ($3 IS NULL OR category = $3)
      GROUP BY day, category
      QUALIFY dense_rank() OVER (ORDER BY day DESC) <= \(Self.mostDays)
      ORDER BY day DESC, category
      """, range + [view.category])
  }

  private static let measures = """
    CAST(coalesce(sum(transactions), 0) AS BIGINT), CAST(coalesce(sum(units_sold), 0) AS BIGINT),
    CAST(CAST(coalesce(sum(revenue), 0) AS DECIMAL(38, 2)) AS VARCHAR)
    """

  private static func isIn(_ column: String) -> String {
    "($1 IS NULL OR \(column) >= TRY_CAST($1 AS DATE)) AND ($2 IS NULL OR \(column) <= TRY_CAST($2 AS DATE))"
  }

  private static let nothing = Line(
    id: "", name: "", group: "", transactions: 0, units: 0, revenue: "0.00")

  private static func open() throws -> DuckDBConnection {
    let connection = try DuckDBConnection(
      path: nil,
      settings: [
        "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
        "memory_limit": "256MB", "threads": "1",
      ])
    try connection.execute("SET TimeZone = 'UTC'")
    return connection
  }
}
