internal import CDuckDB

/// A DuckDB instance and one connection to it.
///
/// Not sendable: one task uses it. It lets go of its file when it is released.
public final class DuckDBConnection {
  private var database: duckdb_database?
  private var connection: duckdb_connection?

  /// The version of the library, such as `v1.5.5`.
  public static var libraryVersion: String { String(cString: duckdb_library_version()) }

  /// Opens a file, or a database in memory where `path` is nil.
  ///
  /// - Parameter settings: DuckDB's configuration options by name.
  public init(path: String?, settings: [String: String] = [:]) throws(DuckDBError) {
    var config: duckdb_config?
    guard duckdb_create_config(&config) == DuckDBSuccess else {
      throw DuckDBError(.cannotOpen, "DuckDB cannot make a configuration")
    }
    defer { duckdb_destroy_config(&config) }
    for (name, value) in settings where duckdb_set_config(config, name, value) != DuckDBSuccess {
      throw DuckDBError(.cannotOpen, "DuckDB does not take the setting \(name) = \(value)")
    }
    var words: UnsafeMutablePointer<CChar>?
    guard duckdb_open_ext(path, &database, config, &words) == DuckDBSuccess else {
      let message = words.map { String(cString: $0) } ?? "DuckDB cannot open \(path ?? "memory")"
      duckdb_free(words)
      throw DuckDBError(opening: true, words: message)
    }
    guard duckdb_connect(database, &connection) == DuckDBSuccess else {
      duckdb_close(&database)
      throw DuckDBError(.cannotOpen, "DuckDB cannot connect to \(path ?? "memory")")
    }
  }

  deinit {
    duckdb_disconnect(&connection)
    duckdb_close(&database)
  }

  /// Runs one or more statements and drops what they return.
  public func execute(_ sql: String) throws(DuckDBError) {
    var result = duckdb_result()
    defer { duckdb_destroy_result(&result) }
    guard duckdb_query(connection, sql, &result) == DuckDBSuccess else {
      throw failure(&result)
    }
  }

  /// Runs one statement with `$1`, `$2`, … bound to `parameters`, and returns its rows.
  ///
  /// Columns must be BOOLEAN, INTEGER, BIGINT, DOUBLE or VARCHAR: cast others in the statement.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: [DuckDBValue] = []
  ) throws(DuckDBError) -> [[DuckDBValue]] {
    var statement: duckdb_prepared_statement?
    defer { duckdb_destroy_prepare(&statement) }
    guard duckdb_prepare(connection, sql, &statement) == DuckDBSuccess else {
      let words = duckdb_prepare_error(statement).map { String(cString: $0) }
      throw DuckDBError(opening: false, words: words ?? "DuckDB cannot prepare a statement")
    }
    for (index, value) in parameters.enumerated() {
      guard bind(value, to: statement, at: idx_t(index + 1)) == DuckDBSuccess else {
        throw DuckDBError(.statement, "DuckDB does not take parameter \(index + 1)")
      }
    }
    var result = duckdb_result()
    defer { duckdb_destroy_result(&result) }
    guard duckdb_execute_prepared(statement, &result) == DuckDBSuccess else {
      throw failure(&result)
    }
    return try rows(of: &result)
  }

  /// Runs `body` in a transaction, which is undone if it throws.
  public func transaction<T>(_ body: () throws -> T) throws -> T {
    try execute("BEGIN TRANSACTION")
    do {
      let value = try body()
      try execute("COMMIT")
      return value
    } catch {
      // After a failed commit there is no transaction to undo.
      try? execute("ROLLBACK")
      throw error
    }
  }

  // MARK: -

  private func failure(_ result: inout duckdb_result) -> DuckDBError {
    let words = duckdb_result_error(&result).map { String(cString: $0) }
    return DuckDBError(opening: false, words: words ?? "DuckDB failed without a word")
  }

  private func bind(
    _ value: DuckDBValue, to statement: duckdb_prepared_statement?, at index: idx_t
  ) -> duckdb_state {
    switch value {
    case .null: return duckdb_bind_null(statement, index)
    case .bool(let value): return duckdb_bind_boolean(statement, index, value)
    case .int(let value): return duckdb_bind_int64(statement, index, value)
    case .double(let value): return duckdb_bind_double(statement, index, value)
    case .text(var value):
      return value.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          duckdb_bind_varchar_length(statement, index, $0.baseAddress, idx_t($0.count))
        }
      }
    }
  }

  private func rows(of result: inout duckdb_result) throws(DuckDBError) -> [[DuckDBValue]] {
    let columnCount = duckdb_column_count(&result)
    var types: [Int32] = []
    for column in 0..<columnCount { types.append(duckdb_column_type(&result, column)) }
    var rows: [[DuckDBValue]] = []
    while let fetched = duckdb_fetch_chunk(result) {
      var chunk: duckdb_data_chunk? = fetched
      defer { duckdb_destroy_data_chunk(&chunk) }
      let first = rows.count
      let count = Int(duckdb_data_chunk_get_size(chunk))
      rows.append(contentsOf: repeatElement([], count: count))
      for column in 0..<columnCount {
        let vector = duckdb_data_chunk_get_vector(chunk, column)
        let validity = duckdb_vector_get_validity(vector)
        for row in 0..<count {
          let isValid = validity.map { $0[row / 64] >> UInt64(row % 64) & 1 == 1 } ?? true
          let value =
            isValid
            ? try Self.value(duckdb_vector_get_data(vector), row, types[Int(column)]) : .null
          rows[first + row].append(value)
        }
      }
    }
    return rows
  }

  private static func value(
    _ data: UnsafeMutableRawPointer?, _ row: Int, _ type: Int32
  ) throws(DuckDBError) -> DuckDBValue {
    guard let data else { return .null }
    switch Int(type) {
    case DUCKDB_SUBSET_TYPE_BOOLEAN:
      return .bool(data.load(fromByteOffset: row, as: UInt8.self) != 0)
    case DUCKDB_SUBSET_TYPE_INTEGER:
      return .int(Int64(data.load(fromByteOffset: row * 4, as: Int32.self)))
    case DUCKDB_SUBSET_TYPE_BIGINT:
      return .int(data.load(fromByteOffset: row * 8, as: Int64.self))
    case DUCKDB_SUBSET_TYPE_DOUBLE:
      return .double(data.load(fromByteOffset: row * 8, as: Double.self))
    case DUCKDB_SUBSET_TYPE_VARCHAR:
      let stride = MemoryLayout<duckdb_string_t>.stride
      let string = data + row * stride
      let length = Int(string.load(as: UInt32.self))
      // Up to 12 bytes stand in place, behind the length; more behind a pointer, after a prefix.
      let bytes =
        length <= 12
        ? UnsafeRawPointer(string + 4)
        : UnsafeRawPointer(string.load(fromByteOffset: 8, as: UnsafeMutableRawPointer.self))
      return .text(
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self))
    default:
      throw DuckDBError(.unsupportedType, "a result column has DuckDB type \(type): cast it")
    }
  }
}
