import Foundation
import GRDB
public import Lake

/// The index over a lake's commits, in SQLite: what was received, committed, published and loaded,
/// and what waits.
///
/// Whatever it knows of the past it read in `commits/`: deleted, or restored from an older copy,
/// it reads on from where it stands. Several processes may use one ledger at a time.
public final class Ledger: Sendable {
  public let path: String
  private let database: DatabasePool
  private let reader: any DatabaseReader

  /// Opens the ledger of `lake` at `path`, making it if it is not there.
  public init(path: String, lake: LakeIdentity) throws {
    self.path = path
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    configuration.label = "ledger"
    // Of several processes that meet a new ledger, one makes its tables.
    let lock = try FileLock.acquire("\(path).lock")
    defer { withExtendedLifetime(lock) {} }
    do {
      database = try DatabasePool(path: path, configuration: configuration)
      // GRDB sets NORMAL as it turns on write-ahead logging; a power loss must not undo a commit.
      try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      try LedgerSchema.migrator.migrate(database)
      let known = try database.write { database in
        try database.execute(
          sql: "INSERT INTO lake(id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM lake)",
          arguments: [lake.lake])
        return try String.fetchOne(database, sql: "SELECT id FROM lake")
      }
      guard known == lake.lake else {
        throw LakeError(
          .foreignState,
          "the ledger \(path) belongs to another lake: point --state elsewhere, or move it aside")
      }
    } catch let failure as LakeError {
      throw failure
    } catch {
      throw LedgerError(error, path: path)
    }
    reader = database
  }

  private init(_ ledger: Ledger, reader: any DatabaseReader) {
    path = ledger.path
    database = ledger.database
    self.reader = reader
  }

  /// The ledger as it is now, however many questions it is asked.
  public func snapshot() throws -> Ledger {
    do {
      return Ledger(self, reader: try database.makeSnapshot())
    } catch {
      throw LedgerError(error, path: path)
    }
  }

  func read<T>(_ body: (Database) throws -> T) throws -> T {
    do {
      return try reader.read(body)
    } catch let failure as LakeError {
      throw failure
    } catch {
      throw LedgerError(error, path: path)
    }
  }

  func write<T>(_ body: (Database) throws -> T) throws -> T {
    do {
      return try database.write(body)
    } catch let failure as LakeError {
      throw failure
    } catch {
      throw LedgerError(error, path: path)
    }
  }
}
