import GRDB
public import Lake
import ObjectStore

extension Ledger {
  /// A bronze file that waits to be loaded, and where it came from.
  public struct Waiting: Sendable {
    public let file: Commit.File
    public let commit: Int
  }

  /// The published bronze files that are not loaded, oldest first.
  public func waitingFiles(limit: Int) throws -> [Waiting] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT files.* FROM files JOIN commits ON commits.number = files.commit_number
          WHERE layer = 'bronze' AND loaded = 0 AND commits.published = 1
            AND files.key NOT IN (SELECT key FROM parked)
          ORDER BY commit_number, files.key LIMIT ?
          """,
        arguments: [limit]
      ).map { Waiting(file: Self.file($0), commit: $0["commit_number"]) }
    }
  }

  /// How many committed bronze files are not loaded, parked ones not counted.
  ///
  /// - Parameter published: counts only those that the pipe can load now.
  public func waitingFileCount(published: Bool = false) throws -> Int {
    try read {
      try Int.fetchOne(
        $0,
        sql: """
          SELECT count(*) FROM files JOIN commits ON commits.number = files.commit_number
          WHERE layer = 'bronze' AND loaded = 0 AND (commits.published = 1 OR ?)
            AND files.key NOT IN (SELECT key FROM parked)
          """, arguments: [!published]) ?? 0
    }
  }

  public func markLoaded(_ keys: [String]) throws {
    try write { database in
      for key in keys {
        try database.execute(sql: "UPDATE files SET loaded = 1 WHERE key = ?", arguments: [key])
        try database.execute(sql: "DELETE FROM tries WHERE key = ?", arguments: [key])
        try database.execute(sql: "DELETE FROM parked WHERE key = ?", arguments: [key])
      }
    }
  }

  /// Makes the marks agree with the load history, which is what counts: after a crash between the
  /// two, or when either was restored from a copy.
  public func setLoaded(exactly keys: [String]) throws {
    try write { database in
      try database.execute(sql: "CREATE TEMP TABLE history (key TEXT PRIMARY KEY)")
      for key in keys {
        try database.execute(sql: "INSERT OR IGNORE INTO history VALUES (?)", arguments: [key])
      }
      try database.execute(
        sql: """
          UPDATE files SET loaded = key IN (SELECT key FROM history)
          WHERE layer = 'bronze' AND loaded <> (key IN (SELECT key FROM history))
          """)
      try database.execute(sql: "DROP TABLE history")
    }
  }
}
