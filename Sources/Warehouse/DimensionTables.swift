public import DuckDB

/// The dimensions' tables, and `retail.raw.dimension_history`: which file each of them holds.
public struct DimensionTables {
  public static let history = "retail.raw.dimension_history"

  private let connection: DuckDBConnection

  /// Makes the tables, empty, if they are not there.
  public init(_ connection: DuckDBConnection) throws {
    self.connection = connection
    for dimension in DimensionTable.all {
      let columns = dimension.columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      try connection.execute("CREATE TABLE IF NOT EXISTS \(dimension.table) (\(columns))")
    }
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(Self.history) (
        name VARCHAR NOT NULL PRIMARY KEY, sha256 VARCHAR NOT NULL, row_count BIGINT NOT NULL,
        loaded_at TIMESTAMPTZ NOT NULL)
      """)
  }

  /// The SHA-256 of the file that each table holds, by the dimension's name.
  public func loaded() throws -> [String: String] {
    let rows = try connection.query("SELECT name, sha256 FROM \(Self.history)")
    return Dictionary(
      uniqueKeysWithValues: rows.map { ($0[0].text ?? "", $0[1].text ?? "") })
  }

  /// Puts the rows of a CSV file in place of a dimension's, all or none, and returns how many.
  ///
  /// Throws `WarehouseError.brokenDimension`, which says where, if the file cannot be read as that
  /// dimension. Columns that it has besides are passed over.
  ///
  /// - Parameters:
  ///   - path: the file, UTF-8 with a header.
  ///   - header: its first line.
  @discardableResult
  public func replace(
    _ dimension: DimensionTable, with path: String, header: String, sha256: String
  ) throws -> Int {
    let names = try Self.names(in: header, for: dimension)
    try read(path, names, for: dimension)
    defer { try? connection.execute("DROP TABLE IF EXISTS incoming") }
    try check(dimension)
    let rows = try connection.query("SELECT count(*) FROM incoming")[0][0].int ?? 0
    let columns = dimension.columns.map(\.name).joined(separator: ", ")
    let values = dimension.columns.map(\.value).joined(separator: ", ")
    try connection.transaction {
      try connection.execute(
        """
        DELETE FROM \(dimension.table);
        INSERT INTO \(dimension.table) (\(columns)) SELECT \(values) FROM incoming ORDER BY row;
        INSERT OR REPLACE INTO \(Self.history)
          VALUES (\(dimension.name.sqlLiteral), \(sha256.sqlLiteral), \(rows), now());
        """)
    }
    return rows
  }

  // MARK: -

  /// The columns that a header names; all that the dimension wants, and none twice.
  private static func names(in header: String, for dimension: DimensionTable) throws -> [String] {
    let names = header.split(separator: ",", omittingEmptySubsequences: false).map { name in
      name.count > 1 && name.first == "\"" && name.last == "\""
        ? String(name.dropFirst().dropLast()) : String(name)
    }
    for column in dimension.columns where !names.contains(column.name) {
      throw WarehouseError(.brokenDimension, "its header has no column \(column.name)")
    }
    // DuckDB does not tell capitals from small letters in a column's name.
    guard Set(names.map { $0.lowercased() }).count == names.count else {
      throw WarehouseError(.brokenDimension, "its header names a column twice")
    }
    return names
  }

  /// Reads what the dimension wants of the file as text, with its rows numbered, into the temporary
  /// table `incoming`.
  private func read(_ path: String, _ names: [String], for dimension: DimensionTable) throws {
    let wanted = dimension.columns.map(\.name).joined(separator: ", ")
    let columns = names.map { "\($0.sqlLiteral): 'VARCHAR'" }.joined(separator: ", ")
    do {
      try connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming AS
        SELECT \(wanted), row_number() OVER () AS row FROM read_csv(
          [\(path.sqlLiteral)], auto_detect = false, header = true, columns = {\(columns)},
          delim = ',', quote = '"', escape = '"', strict_mode = true, null_padding = false,
          ignore_errors = false, max_line_size = 1048576, hive_partitioning = false)
        """)
    } catch {
      if error.isOutage { throw error }
      // What else it says quotes the file.
      let place = error.message.firstMatch(of: /CSV Error on Line: (\d+)/).map { "line \($0.1)" }
      throw WarehouseError(
        .brokenDimension, "\(place ?? "a line of it") is not CSV in UTF-8 like its header")
    }
  }

  /// Throws for the first value that is not what its column holds.
  private func check(_ dimension: DimensionTable) throws {
    for column in dimension.columns {
      let isWrong =
        "(\(column.name) IS NOT NULL AND (\(column.value)) IS NULL)"
        + (column.isRequired ? " OR \(column.name) IS NULL" : "")
      if let row = try connection.query(
        "SELECT min(row) FROM incoming WHERE \(isWrong)")[0][0].int
      {
        throw WarehouseError(
          .brokenDimension, "in row \(row) below its header \(column.name) is not \(column.form)")
      }
    }
  }
}
