public import Contract
public import DuckDB
import Lake
public import Ledger
import ObjectStore

/// The staging table and the load history: `retail.raw.raw_purchases_staging` and
/// `retail.raw.load_history`.
///
/// Staging has the contract's columns, `_rescued_data`, `_source_object`, `_source_line`, `dt` and
/// `_load_seq`, which is the same for all rows of one bronze file and rises from file to file. The
/// history has one row a loaded file, written in the transaction of its rows.
public struct StagingTable {
  public static let name = "retail.raw.raw_purchases_staging"
  public static let history = "retail.raw.load_history"

  private let connection: DuckDBConnection

  /// Makes the tables if they are not there, and adds the columns that the contract has gained.
  public init(_ connection: DuckDBConnection, contract: EventContract) throws {
    self.connection = connection
    let fields = contract.fields.map { "\($0.name.sqlName) \(Self.type($0.type))" }
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(Self.name) (
        \(fields.joined(separator: ", ")), _rescued_data VARCHAR, _source_object VARCHAR NOT NULL,
        _source_line BIGINT NOT NULL, dt DATE NOT NULL, _load_seq BIGINT NOT NULL);
      CREATE TABLE IF NOT EXISTS \(Self.history) (
        pipe_name VARCHAR NOT NULL, path VARCHAR NOT NULL, commit_number BIGINT NOT NULL,
        file_size BIGINT NOT NULL, row_count BIGINT NOT NULL, sha256 VARCHAR NOT NULL,
        load_seq BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (pipe_name, path));
      ALTER TABLE \(Self.history) ADD COLUMN IF NOT EXISTS received_at TIMESTAMPTZ;
      """)
    for field in contract.fields {
      try addColumn(field.name, Self.type(field.type))
    }
  }

  /// Loads files that have no history row, all of them or none, in one transaction.
  ///
  /// - Parameter loadedAt: what the history says of when, in milliseconds since 1970.
  ///
  /// Throws `WarehouseError.unloadable` if a file holds another number of rows than its commit
  /// says.
  public func load(_ sources: [PublishedFile], pipe: String, loadedAt: Int64) throws {
    let paths = sources.map(\.path.sqlLiteral).joined(separator: ", ")
    let parquet = "read_parquet([\(paths)], union_by_name = true, hive_partitioning = false"
    let columns = try connection.query(
      "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM \(parquet)))"
    ).compactMap { row in row[0].text.map { ($0, row[1].text ?? "VARCHAR") } }
    // A file of a later contract: another host has it already.
    for (name, type) in columns { try addColumn(name, type) }
    let names = columns.map { "bronze.\($0.0.sqlName)" }.joined(separator: ", ")
    try connection.transaction {
      let first =
        try connection.query(
          "SELECT coalesce(max(load_seq), 0) + 1 FROM \(Self.history)")[0][0].int ?? 1
      let numbered = sources.enumerated().map { ($1, first + $0) }
      for (source, sequence) in numbered {
        try connection.query(
          """
          INSERT INTO \(Self.history) (pipe_name, path, commit_number, file_size, row_count, sha256,
            load_seq, loaded_at, received_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, epoch_ms($8) AT TIME ZONE 'UTC',
            epoch_ms($9) AT TIME ZONE 'UTC')
          """,
          [
            .text(pipe), .text(source.file.key.text), .int(Int64(source.commit)),
            .int(source.file.size), .int(Int64(source.file.rows)), .text(source.file.sha256),
            .int(Int64(sequence)), .int(loadedAt), .int(source.received),
          ])
      }
      let sequences = numbered.map { "(\($0.path.sqlLiteral), \($1))" }.joined(separator: ", ")
      try connection.execute(
        """
        INSERT INTO \(Self.name) BY NAME
        SELECT \(names), CAST(bronze.ts AT TIME ZONE 'UTC' AS DATE) AS dt,
          CAST(sequence.number AS BIGINT) AS _load_seq
        FROM \(parquet), filename = '_bronze_file') AS bronze
        JOIN (VALUES \(sequences)) AS sequence (path, number)
          ON sequence.path = bronze._bronze_file
        """)
      let counts = try connection.query(
        "SELECT _load_seq, count(*) FROM \(Self.name) WHERE _load_seq >= $1 GROUP BY 1",
        [.int(Int64(first))])
      var rows: [Int: Int] = [:]
      for count in counts { rows[count[0].int ?? 0] = count[1].int }
      for (source, sequence) in numbered where rows[sequence] ?? 0 != source.file.rows {
        throw WarehouseError(
          .unloadable,
          "\(source.file.key) gave \(rows[sequence] ?? 0) rows, its commit says \(source.file.rows)"
        )
      }
    }
  }

  /// All files that this pipe has loaded, in the order of their loads.
  public func loadedFiles(pipe: String) throws -> [Ledger.LoadedFile] {
    try connection.query(
      """
      SELECT path, file_size, row_count, CAST(epoch_ms(loaded_at) AS BIGINT),
        CAST(epoch_ms(coalesce(received_at, loaded_at)) AS BIGINT)
      FROM \(Self.history) WHERE pipe_name = $1 ORDER BY load_seq
      """, [.text(pipe)]
    ).compactMap { row in
      guard let key = row[0].text else { return nil }
      return Ledger.LoadedFile(
        key: key, size: Int64(row[1].int ?? 0), rows: row[2].int ?? 0,
        received: Int64(row[4].int ?? 0), at: Int64(row[3].int ?? 0))
    }
  }

  /// Rows in staging.
  public func rowCount() throws -> Int {
    try connection.query("SELECT count(*) FROM \(Self.name)")[0][0].int ?? 0
  }

  // MARK: -

  private func addColumn(_ name: String, _ type: String) throws {
    let isThere = try connection.query(
      """
      SELECT 1 FROM duckdb_columns() WHERE database_name = 'retail' AND schema_name = 'raw'
        AND table_name = 'raw_purchases_staging' AND lower(column_name) = lower($1)
      """, [.text(name)])
    if isThere.isEmpty {
      try connection.execute("ALTER TABLE \(Self.name) ADD COLUMN \(name.sqlName) \(type)")
    }
  }

  private static func type(_ type: EventContract.FieldType) -> String {
    switch type {
    case .string: "VARCHAR"
    case .timestamp: "TIMESTAMPTZ"
    case .double: "DOUBLE"
    case .int32: "INTEGER"
    case .int64: "BIGINT"
    case .boolean: "BOOLEAN"
    }
  }
}
