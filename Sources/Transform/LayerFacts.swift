/// What the layers of a warehouse hold, as dbt counts it in one statement
/// (`dbt/macros/verify/verify_equation.sql`).
public struct LayerFacts: Codable, Sendable {
  public let stagingRows: Int
  /// Staging rows up to the window's start.
  public let transformedRows: Int
  /// The window: silver and gold have taken in the loads up to `lo`, and up to `hi` when they next
  /// succeed.
  public let lo: Int
  public let hi: Int
  public let silverRows: Int
  public let duplicates: Int
  public let conflicts: Int
  /// Text with two decimals.
  public let silverRevenue: String
  public let goldTransactions: Int
  /// Text with two decimals.
  public let goldRevenue: String
  /// Rows of staging by the bronze file that they came from; nil without a load history.
  public let files: [String: Int]?
  /// Rows of staging that the load history does not vouch for; nil without one.
  public let foreignRows: Int?
  /// Quarantined lines by their file.
  public let quarantineFiles: [String: Int]

  enum CodingKeys: String, CodingKey {
    case lo, hi, duplicates, conflicts, files
    case stagingRows = "staging_rows"
    case transformedRows = "transformed_rows"
    case silverRows = "silver_rows"
    case silverRevenue = "silver_revenue"
    case goldTransactions = "gold_transactions"
    case goldRevenue = "gold_revenue"
    case foreignRows = "foreign_rows"
    case quarantineFiles = "quarantine_files"
  }
}
