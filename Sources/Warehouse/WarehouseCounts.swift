public import DuckDB

/// What the warehouse holds, counted table by table, while nothing else changes it.
public struct WarehouseCounts: Codable, Sendable, Equatable {
  public var stagingRows = 0
  /// Staging rows that the last complete transformation took in.
  public var transformedRows = 0
  public var silverRows = 0
  public var silverRevenue = "0.00"
  public var duplicates = 0
  public var conflicts = 0
  public var goldTransactions = 0
  public var goldRevenue = "0.00"
  /// Silver rows with an amount that does not fit DECIMAL(18,2).
  public var amountOverflows = 0
  /// The newest event in gold, in microseconds since 1970-01-01 UTC; nil if gold is empty.
  public var newestGoldMicros: Int?

  public init() {}

  /// Counts what is there; tables that dbt has not made yet count as empty.
  ///
  /// - Parameter includingSilverSums: also sums silver's amounts, which reads the whole table.
  public init(_ connection: DuckDBConnection, includingSilverSums: Bool = false) throws {
    let tables = try WarehouseTables(connection)
    func first(_ sql: String) throws -> [DuckDBValue] { try connection.query(sql).first ?? [] }
    func count(_ table: String) throws -> Int {
      tables.contains(table) ? try first("SELECT count(*) FROM retail.\(table)")[0].int ?? 0 : 0
    }
    stagingRows = try count("raw.raw_purchases_staging")
    if tables.contains("raw.transform_window") {
      // No rows wait where the window is closed, which zone maps tell without reading staging.
      let waiting = try first(
        """
        SELECT count(*) FROM retail.raw.raw_purchases_staging
        WHERE _load_seq > (SELECT max(lo) FROM retail.raw.transform_window)
        """)[0].int
      transformedRows = stagingRows - (waiting ?? stagingRows)
    }
    silverRows = try count("silver.purchases_silver")
    duplicates = try count("silver.purchase_duplicates_silver")
    conflicts = try count("silver.purchase_conflicts_silver")
    if includingSilverSums, tables.contains("silver.purchases_silver") {
      let sums = try first(
        """
        SELECT CAST(CAST(coalesce(sum(total_amount), 0) AS DECIMAL(38, 2)) AS VARCHAR),
          count(*) FILTER (WHERE amount_overflow)
        FROM retail.silver.purchases_silver
        """)
      silverRevenue = sums[0].text ?? "0.00"
      amountOverflows = sums[1].int ?? 0
    }
    if tables.contains("gold.purchases_gold") {
      let sums = try first(
        """
        SELECT CAST(coalesce(sum(transactions), 0) AS BIGINT),
          CAST(CAST(coalesce(sum(revenue), 0) AS DECIMAL(38, 2)) AS VARCHAR),
          CAST(epoch_us(max(latest_ts)) AS BIGINT)
        FROM retail.gold.purchases_gold
        """)
      goldTransactions = sums[0].int ?? 0
      goldRevenue = sums[1].text ?? "0.00"
      newestGoldMicros = sums[2].int
    }
  }
}

/// The tables and views of the warehouse, as `schema.name`.
public struct WarehouseTables {
  let names: Set<String>

  public init(_ connection: DuckDBConnection) throws {
    let rows = try connection.query(
      """
      SELECT table_schema || '.' || table_name FROM information_schema.tables
      WHERE table_catalog = 'retail'
      """)
    names = Set(rows.compactMap { $0[0].text })
  }

  public func contains(_ name: String) -> Bool { names.contains(name) }
}
