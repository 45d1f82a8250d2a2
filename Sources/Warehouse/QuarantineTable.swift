public import DuckDB
import Lake
public import ObjectStore

/// The quarantined lines in force and the history of their files:
/// `retail.raw.raw_quarantine_staging` and `retail.raw.quarantine_history`.
///
/// The table has a row a quarantined line: the members of its record (docs/json.md), `dt`, the UTC
/// date on which its raw object arrived, and `_quarantine_file`, the key of the file. The history
/// has a row a file in force. Both change in one transaction, and rows go as well as come: when a
/// redrive supersedes a file, its rows leave as those of the new file arrive.
public struct QuarantineTable {
  public static let name = "retail.raw.raw_quarantine_staging"
  public static let history = "retail.raw.quarantine_history"

  private let connection: DuckDBConnection

  /// Makes the tables if they are not there.
  public init(_ connection: DuckDBConnection) throws {
    self.connection = connection
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(Self.name) (
        reason VARCHAR, source_object VARCHAR, line BIGINT, byte_offset BIGINT, byte_length BIGINT,
        raw VARCHAR, raw_base64 VARCHAR, dt DATE, _quarantine_file VARCHAR);
      CREATE TABLE IF NOT EXISTS \(Self.history) (
        path VARCHAR NOT NULL PRIMARY KEY, commit_number BIGINT NOT NULL,
        file_size BIGINT NOT NULL, row_count BIGINT NOT NULL, sha256 VARCHAR NOT NULL,
        loaded_at TIMESTAMPTZ NOT NULL);
      """)
  }

  /// Loads files, and removes the rows of others, all of it or nothing.
  ///
  /// Throws `WarehouseError.unloadable` if a file holds another number of records than its commit
  /// says.
  public func load(_ files: [PublishedFile], removing superseded: [ObjectKey]) throws {
    try connection.transaction {
      if !superseded.isEmpty {
        let keys = superseded.map(\.text.sqlLiteral).joined(separator: ", ")
        try connection.execute(
          """
          DELETE FROM \(Self.name) WHERE _quarantine_file IN (\(keys));
          DELETE FROM \(Self.history) WHERE path IN (\(keys));
          """)
      }
      if !files.isEmpty { try insert(files) }
    }
  }

  /// Whether a file can be loaded at all.
  public func canLoad(_ file: PublishedFile) -> Bool {
    let records = try? connection.query("SELECT count(*) FROM \(Self.records([file]))")
    return records?[0][0].int == file.file.rows
  }

  /// The keys of the files whose rows are here.
  public func loadedPaths() throws -> [String] {
    try connection.query("SELECT path FROM \(Self.history)").compactMap { $0[0].text }
  }

  // MARK: -

  private func insert(_ files: [PublishedFile]) throws {
    for file in files {
      try connection.query(
        "INSERT INTO \(Self.history) VALUES ($1, $2, $3, $4, $5, now())",
        [
          .text(file.file.key.text), .int(Int64(file.commit)), .int(file.file.size),
          .int(Int64(file.file.rows)), .text(file.file.sha256),
        ])
    }
    let places = try files.map { file in
      guard let day = LakeLayout.quarantineDay(of: file.file.key) else {
        throw WarehouseError(.unloadable, "\(file.file.key) is in no partition dt=…")
      }
      return "(\(file.path.sqlLiteral), \(file.file.key.text.sqlLiteral), DATE '\(day)')"
    }
    try connection.execute(
      """
      INSERT INTO \(Self.name) BY NAME
      SELECT record.reason, record.source_object, record.line, record.byte_offset,
        record.byte_length, record.raw, record.raw_base64, place.dt,
        place.key AS _quarantine_file
      FROM \(Self.records(files)) AS record
      JOIN (VALUES \(places.joined(separator: ", "))) AS place (path, key, dt)
        ON place.path = record._path
      """)
    let keys = files.map(\.file.key.text.sqlLiteral).joined(separator: ", ")
    let counts = try connection.query(
      """
      SELECT _quarantine_file, count(*) FROM \(Self.name)
      WHERE _quarantine_file IN (\(keys)) GROUP BY 1
      """)
    var rows: [String: Int] = [:]
    for count in counts { rows[count[0].text ?? ""] = count[1].int }
    for file in files where rows[file.file.key.text] ?? 0 != file.file.rows {
      throw WarehouseError(
        .unloadable,
        "\(file.file.key) gave \(rows[file.file.key.text] ?? 0) rows, its commit says \(file.file.rows)"
      )
    }
  }

  /// The records of files, and in `_path` the file's place.
  private static func records(_ files: [PublishedFile]) -> String {
    let paths = files.map(\.path.sqlLiteral).joined(separator: ", ")
    // A record is one line of at most 1 MiB, of which each byte may be six of an escape.
    return """
      read_ndjson([\(paths)], format = 'newline_delimited', hive_partitioning = false,
        filename = '_path', maximum_object_size = 16777216,
        columns = {reason: 'VARCHAR', source_object: 'VARCHAR', line: 'BIGINT',
          byte_offset: 'BIGINT', byte_length: 'BIGINT', raw: 'VARCHAR', raw_base64: 'VARCHAR'})
      """
  }
}
