public import DuckDB
import Flow
public import Lake
import Ledger
import ServiceLifecycle

/// The embedded warehouse: one DuckDB file, attached as the database `retail`.
///
/// A DuckDB file has one writing process at a time, so the warehouse is leased: by turns within
/// this process, first come first served, and by a lock on `warehouse.lease` among processes. A
/// lease is held for one load or one whole dbt run.
public final class Warehouse: Sendable {
  public static let database = "retail"

  /// The DuckDB file.
  public let path: String
  /// The lock file of the lease.
  public let leasePath: String
  private let lake: LakeIdentity
  private let turns = Turns()

  /// - Parameter state: the directory of the file and its lease.
  public init(state: String, lake: LakeIdentity) {
    path = "\(state)/warehouse.duckdb"
    leasePath = "\(state)/warehouse.lease"
    self.lake = lake
  }

  /// The right to use the warehouse within this process.
  public struct Turn {
    fileprivate let warehouse: Warehouse

    /// Opens the warehouse under its lease; the lock and the file are let go when `body` ends.
    ///
    /// Throws `DuckDBError.locked` if somebody has the file open without the lease.
    public func withConnection<T>(_ body: (DuckDBConnection) throws -> T) async throws -> T {
      let lock = try await warehouse.lock()
      return try withExtendedLifetime(lock) { try body(try warehouse.openTelling()) }
    }
  }

  /// Waits for this process's turn. Whoever then leaves the work to a child process lets that one
  /// take the lock.
  public func withTurn<T>(_ body: (Turn) async throws -> T) async throws -> T {
    try await turns.withTurn { try await body(Turn(warehouse: self)) }
  }

  /// Opens the warehouse for `body` alone.
  public func withConnection<T>(_ body: (DuckDBConnection) throws -> T) async throws -> T {
    try await withTurn { try await $0.withConnection(body) }
  }

  // MARK: -

  /// Nothing tells when another process lets go of the lock, so this looks again at short
  /// intervals, where waiting in `flock` could not be cancelled.
  private func lock() async throws -> FileLock {
    var pause = Duration.milliseconds(5)
    while true {
      if let lock = try FileLock.tryAcquire(leasePath) { return lock }
      // Somebody else may hold it for long.
      if Task.isShuttingDownGracefully { throw CancellationError() }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(100))
    }
  }

  /// Opens the file, or says in one sentence what is in the way.
  private func openTelling() throws -> DuckDBConnection {
    do {
      return try open()
    } catch let failure as DuckDBError where failure.code == .locked {
      let holder = failure.message.firstMatch(of: /PID (\d+)/).map { " (process \($0.1))" } ?? ""
      throw WarehouseError(
        .locked, "another program\(holder) has the warehouse \(path) open: end it, or wait for it")
    } catch let failure as DuckDBError where failure.code == .cannotOpen {
      throw WarehouseError(
        .unreadable,
        "the warehouse \(path) is damaged or no DuckDB file, or this user may not read it: move it aside, the next ingest loads all of bronze anew"
      )
    }
  }

  private func open() throws -> DuckDBConnection {
    let connection = try DuckDBConnection(
      path: nil,
      settings: [
        "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
        "memory_limit": "1GB",
      ])
    try connection.execute(
      """
      SET TimeZone = 'UTC';
      SET temp_directory = \((path + ".tmp").sqlLiteral);
      ATTACH \(path.sqlLiteral) AS \(Self.database);
      """)
    try claim(connection)
    return connection
  }

  /// Marks a new warehouse as this lake's, and refuses that of another.
  private func claim(_ connection: DuckDBConnection) throws {
    try connection.execute(
      """
      CREATE SCHEMA IF NOT EXISTS retail.raw;
      CREATE TABLE IF NOT EXISTS retail.raw.lake (id VARCHAR NOT NULL);
      INSERT INTO retail.raw.lake
        SELECT \(lake.lake.sqlLiteral) WHERE NOT EXISTS (FROM retail.raw.lake);
      """)
    let known = try connection.query("SELECT id FROM retail.raw.lake").first?.first?.text
    guard known == lake.lake else {
      throw LakeError(
        .foreignState,
        "the warehouse \(path) belongs to another lake: point --state elsewhere, or move it aside")
    }
  }
}
