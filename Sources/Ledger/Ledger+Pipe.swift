import Foundation
import GRDB
public import Lake
import ObjectStore

extension Ledger {
  /// What files hold: rows of bronze, or quarantined lines.
  public enum Layer: String, Sendable {
    case bronze, quarantine
  }

  /// A published file of which the warehouse does not know yet, and where it came from.
  public struct Waiting: Sendable {
    public let file: Commit.File
    public let commit: Int
    public let layer: Layer
    /// When the pipe was told of it, or else when it was committed; in milliseconds since 1970.
    public let received: Int64
  }

  /// The published bronze files that are not loaded, oldest first.
  public func waitingFiles(limit: Int) throws -> [Waiting] {
    try read {
      try Self.waiting($0, "layer = 'bronze' AND files.key NOT IN (SELECT key FROM parked)", limit)
    }
  }

  /// All published bronze files, in byte order.
  public func publishedFiles() throws -> [Commit.File] {
    try read {
      try Row.fetchAll(
        $0,
        sql: """
          SELECT files.* FROM files JOIN commits ON commits.number = files.commit_number
          WHERE layer = 'bronze' AND commits.published = 1 ORDER BY files.key
          """
      ).map(Self.file)
    }
  }

  /// Quarantine files that go into the warehouse, and out of it, together.
  public struct WaitingQuarantine: Sendable {
    /// In force, and not loaded.
    public var added: [Waiting] = []
    /// Loaded, and superseded since.
    public var removed: [Waiting] = []

    public init(added: [Waiting] = [], removed: [Waiting] = []) {
      self.added = added
      self.removed = removed
    }

    public var isEmpty: Bool { added.isEmpty && removed.isEmpty }
  }

  /// The published quarantine files of which the warehouse does not know yet.
  ///
  /// What redrives superseded comes with everything that redrives put in its place, however much
  /// that is, so that no line is there twice or missing in between; otherwise the oldest files.
  ///
  /// - Parameter limit: how many, where there was no redrive.
  public func waitingQuarantine(limit: Int) throws -> WaitingQuarantine {
    try read { database in
      // What supersedes must be in its place before the superseded goes.
      let isUnfinished = try Bool.fetchOne(
        database,
        sql: "SELECT EXISTS (SELECT 1 FROM commits WHERE published = 0 AND kind = 'redrive')")
      if isUnfinished == true { return WaitingQuarantine() }
      let inForce = """
        layer = 'quarantine' AND superseded = 0 AND files.key NOT IN (SELECT key FROM parked)
        """
      let redriven = WaitingQuarantine(
        added: try Self.waiting(database, "\(inForce) AND kind = 'redrive'", .max),
        removed: try Self.waiting(database, "layer = 'quarantine' AND superseded = 1", .max))
      if !redriven.isEmpty { return redriven }
      return WaitingQuarantine(added: try Self.waiting(database, inForce, limit))
    }
  }

  private static func waiting(
    _ database: Database, _ condition: String, _ limit: Int
  ) throws -> [Waiting] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT files.*, committed_at, pipe_queue.received
        FROM files JOIN commits ON commits.number = files.commit_number
        LEFT JOIN pipe_queue ON pipe_queue.key = files.key
        WHERE loaded = superseded AND commits.published = 1 AND \(condition)
        ORDER BY commit_number, files.key LIMIT ?
        """,
      arguments: [limit]
    ).map(waiting)
  }

  static func waiting(_ row: Row) -> Waiting {
    Waiting(
      file: file(row), commit: row["commit_number"],
      layer: Layer(rawValue: row["layer"]) ?? .bronze,
      received: row["received"] ?? millis(row["committed_at"]))
  }

  static func millis(_ timestamp: String) -> Int64 {
    Int64(((Timestamp.date(timestamp)?.timeIntervalSince1970 ?? 0) * 1000).rounded())
  }

  /// How many committed files of a layer the pipe has yet to load (or, superseded, to remove),
  /// parked ones not counted.
  ///
  /// - Parameter published: counts only those that the pipe can load now.
  public func waitingFileCount(_ layer: Layer = .bronze, published: Bool = false) throws -> Int {
    try read {
      try Int.fetchOne(
        $0,
        sql: """
          SELECT count(*) FROM files JOIN commits ON commits.number = files.commit_number
          WHERE layer = ? AND loaded = superseded AND (commits.published = 1 OR ?)
            AND files.key NOT IN (SELECT key FROM parked)
          """, arguments: [layer.rawValue, !published]) ?? 0
    }
  }

  /// How many rows the committed bronze files have that are not loaded, parked ones among them.
  public func waitingRows() throws -> Int {
    try read {
      try Int.fetchOne(
        $0,
        sql: "SELECT sum(rows) FROM files WHERE layer = 'bronze' AND loaded = superseded") ?? 0
    }
  }

  public func markLoaded(_ keys: [String]) throws {
    try write { database in for key in keys { try Self.markLoaded(key, database) } }
  }

  static func markLoaded(_ key: String, _ database: Database) throws {
    try database.execute(sql: "UPDATE files SET loaded = 1 WHERE key = ?", arguments: [key])
    try database.execute(sql: "DELETE FROM tries WHERE key = ?", arguments: [key])
    try database.execute(sql: "DELETE FROM parked WHERE key = ?", arguments: [key])
  }

  /// Notes that the rows of superseded files have left the warehouse.
  public func markRemoved(_ keys: [String]) throws {
    try write { database in
      for key in keys {
        try database.execute(sql: "UPDATE files SET loaded = 0 WHERE key = ?", arguments: [key])
      }
    }
  }

  /// Makes a layer's marks agree with its load history, which is what counts: after a crash between
  /// the two, or when either was restored from a copy.
  public func setLoaded(exactly keys: [String], layer: Layer) throws {
    try write { database in
      try database.execute(sql: "CREATE TEMP TABLE history (key TEXT PRIMARY KEY)")
      for key in keys {
        try database.execute(sql: "INSERT OR IGNORE INTO history VALUES (?)", arguments: [key])
      }
      try database.execute(
        sql: """
          UPDATE files SET loaded = key IN (SELECT key FROM history)
          WHERE layer = ? AND loaded <> (key IN (SELECT key FROM history))
          """, arguments: [layer.rawValue])
      try database.execute(sql: "DROP TABLE history")
    }
  }
}
