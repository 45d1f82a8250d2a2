public import DuckDB
import Lake
public import Ledger
import ObjectStore

/// What became of each bronze file, loaded or not: the view `retail.raw.copy_history`, with the
/// columns of Snowflake's COPY_HISTORY, over the load history and `retail.raw.load_failures`.
///
/// Nothing in it expires.
public struct CopyHistory {
  public static let failures = "retail.raw.load_failures"

  private let connection: DuckDBConnection

  /// Makes table and view if they are not there; the load history must be.
  public init(_ connection: DuckDBConnection) throws {
    self.connection = connection
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(Self.failures) (
        pipe_name VARCHAR NOT NULL, path VARCHAR NOT NULL, file_size BIGINT NOT NULL,
        first_error VARCHAR NOT NULL, failed_at TIMESTAMPTZ NOT NULL,
        received_at TIMESTAMPTZ NOT NULL);
      """)
    // The view names no database: the file may be attached under any name.
    try connection.execute(Self.view)
  }

  /// Adds failures, all of them or none; those that it has already are passed over.
  public func add(_ failures: [Ledger.PipeEvent], pipe: String) throws {
    try connection.transaction {
      for event in failures {
        try connection.query(
          """
          INSERT INTO \(Self.failures)
          SELECT $1, $2, $3, $4, epoch_ms($5) AT TIME ZONE 'UTC',
            epoch_ms($6) AT TIME ZONE 'UTC'
          WHERE NOT EXISTS (SELECT 1 FROM \(Self.failures) WHERE path = $2
            AND failed_at = epoch_ms($5) AT TIME ZONE 'UTC')
          """,
          [
            .text(pipe), .text(event.key.text), .int(event.size), .text(event.error ?? ""),
            .int(event.at), .int(event.received),
          ])
      }
    }
  }

  // MARK: -

  private static let view = """
    CREATE VIEW IF NOT EXISTS retail.raw.copy_history AS
    SELECT substr(path, \(LakeLayout.bronze.count + 1)) AS FILE_NAME,
      '@RETAIL.RAW.RETAIL_BRONZE_STAGE/' AS STAGE_LOCATION, ended_at AS LAST_LOAD_TIME,
      row_count AS ROW_COUNT, row_parsed AS ROW_PARSED, file_size AS FILE_SIZE,
      first_error AS FIRST_ERROR_MESSAGE, CAST(NULL AS BIGINT) AS FIRST_ERROR_LINE_NUMBER,
      CAST(NULL AS BIGINT) AS FIRST_ERROR_CHARACTER_POS,
      CAST(NULL AS VARCHAR) AS FIRST_ERROR_COLUMN_NAME,
      CAST(first_error IS NOT NULL AS BIGINT) AS ERROR_COUNT, CAST(1 AS BIGINT) AS ERROR_LIMIT,
      CASE WHEN first_error IS NULL THEN 'Loaded' ELSE 'Load failed' END AS STATUS,
      'RETAIL' AS TABLE_CATALOG_NAME, 'RAW' AS TABLE_SCHEMA_NAME,
      'RAW_PURCHASES_STAGING' AS TABLE_NAME,
      upper(split_part(pipe_name, '.', 1)) AS PIPE_CATALOG_NAME,
      upper(split_part(pipe_name, '.', 2)) AS PIPE_SCHEMA_NAME,
      upper(split_part(pipe_name, '.', 3)) AS PIPE_NAME, received_at AS PIPE_RECEIVED_TIME
    FROM (
      SELECT pipe_name, path, file_size, row_count, row_count AS row_parsed, loaded_at AS ended_at,
        coalesce(received_at, loaded_at) AS received_at, CAST(NULL AS VARCHAR) AS first_error
      FROM raw.load_history
      UNION ALL
      SELECT pipe_name, path, file_size, 0, 0, failed_at, received_at, first_error
      FROM raw.load_failures)
    """
}
