import GRDB
import Lake
public import ObjectStore

extension Ledger {
  /// A file that the pipe was told to load.
  public struct QueuedFile: Sendable {
    public let key: ObjectKey
    /// In bytes, as whoever named it says.
    public let size: Int64?
    /// In milliseconds since 1970.
    public let received: Int64
  }

  /// Who asks, and by which request.
  public struct Request: Sendable {
    public let user: String
    public let id: String

    public init(user: String, id: String) {
      self.user = user
      self.id = id
    }
  }

  /// Records that files are to be loaded, all of them or none; durable when this returns.
  ///
  /// What is loaded, or in the queue, is not taken again. A file that was parked by the pipe is
  /// tried anew. A request that is recorded already changes nothing.
  ///
  /// - Parameter now: in milliseconds since 1970.
  /// - Returns: the files that were not taken.
  public func enqueue(
    _ files: [(key: ObjectKey, size: Int64?)], request: Request, at now: Int64
  ) throws -> [ObjectKey] {
    try write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO pipe_requests(user, id, received) VALUES (?, ?, ?)",
        arguments: [request.user, request.id, now])
      if database.changesCount == 0 { return files.map(\.key) }
      // A request is known for as long as Snowpipe knows a file.
      try database.execute(
        sql: "DELETE FROM pipe_requests WHERE received < ?", arguments: [now - 14 * 86_400_000])
      return try Self.enqueue(files, at: now, database)
    }
  }

  /// Queues what is published, was not loaded, and is not in the queue.
  ///
  /// - Parameters:
  ///   - prefix: the beginning of the keys.
  ///   - after: only of commits later than this, in milliseconds since 1970.
  /// - Returns: the files that were queued, in byte order.
  public func enqueuePublished(
    prefix: String, after: Int64?, at now: Int64
  ) throws -> [ObjectKey] {
    try write { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT files.key, size, committed_at
          FROM files JOIN commits ON commits.number = files.commit_number
          WHERE layer = 'bronze' AND loaded = superseded AND published = 1
            AND substr(files.key, 1, length(?1)) = ?1
            AND files.key NOT IN (SELECT key FROM pipe_queue)
          ORDER BY files.key
          """, arguments: [prefix])
      let files = rows.filter { row in after.map { Self.millis(row["committed_at"]) > $0 } ?? true }
        .map { (key: ObjectKey(trusted: $0["key"]), size: $0["size"] as Int64?) }
      let skipped = Set(try Self.enqueue(files, at: now, database))
      return files.map(\.key).filter { !skipped.contains($0) }
    }
  }

  private static func enqueue(
    _ files: [(key: ObjectKey, size: Int64?)], at now: Int64, _ database: Database
  ) throws -> [ObjectKey] {
    let insert = try database.cachedStatement(
      sql: """
        INSERT OR IGNORE INTO pipe_queue(key, size, received)
        SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM files WHERE key = ?1 AND loaded = 1)
        """)
    let unpark = try database.cachedStatement(
      sql: "DELETE FROM parked WHERE key = ? AND stage = 'pipe'")
    var skipped: [ObjectKey] = []
    for file in files {
      try insert.execute(arguments: [file.key.text, file.size, now])
      if database.changesCount == 0 { skipped.append(file.key) }
      try unpark.execute(arguments: [file.key.text])
    }
    return skipped
  }

  /// What the queue holds, as far as something can be done about it now.
  public struct Queue: Sendable {
    /// Published and not loaded, oldest first.
    public var waiting: [Waiting] = []
    /// In no commit.
    public var unknown: [QueuedFile] = []

    public var isEmpty: Bool { waiting.isEmpty && unknown.isEmpty }
  }

  /// Looks at the queue, and drops from it what was loaded otherwise.
  public func queue(limit: Int) throws -> Queue {
    try write { database in
      try database.execute(
        sql: "DELETE FROM pipe_queue WHERE key IN (SELECT key FROM files WHERE loaded = 1)")
      var queue = Queue()
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT pipe_queue.key AS queued, pipe_queue.size AS named_size, received, files.*,
            committed_at
          FROM pipe_queue LEFT JOIN files ON files.key = pipe_queue.key
          LEFT JOIN commits ON commits.number = files.commit_number
          WHERE (files.key IS NULL OR commits.published = 1)
            AND pipe_queue.key NOT IN (SELECT key FROM parked)
          ORDER BY received, queued LIMIT ?
          """, arguments: [limit])
      for row in rows {
        if row["key"] as String? != nil {
          queue.waiting.append(Self.waiting(row))
        } else {
          queue.unknown.append(
            QueuedFile(
              key: ObjectKey(trusted: row["queued"]), size: row["named_size"],
              received: row["received"]))
        }
      }
      return queue
    }
  }

  /// How much waits for the pipe, and since when.
  public struct PipeBacklog: Sendable, Equatable {
    /// What was queued and is not loaded.
    public var queued = 0
    /// That, and what is published or committed and not loaded; parked files not counted.
    public var pending = 0
    /// The file that waits longest, and when it was received, in milliseconds since 1970.
    public var oldest: ObjectKey?
    public var oldestReceived: Int64?
  }

  public func pipeBacklog() throws -> PipeBacklog {
    try read { database in
      var backlog = PipeBacklog()
      backlog.queued =
        try Int.fetchOne(
          database,
          sql: """
            SELECT count(*) FROM pipe_queue
            WHERE key NOT IN (SELECT key FROM files WHERE loaded = 1)
              AND key NOT IN (SELECT key FROM parked)
            """) ?? 0
      let notLoaded = """
        FROM files JOIN commits ON commits.number = files.commit_number
        LEFT JOIN pipe_queue ON pipe_queue.key = files.key
        WHERE layer = 'bronze' AND loaded = superseded
          AND files.key NOT IN (SELECT key FROM parked)
        """
      let unknown = "FROM pipe_queue WHERE key NOT IN (SELECT key FROM files)"
      backlog.pending =
        try Int.fetchOne(
          database, sql: "SELECT (SELECT count(*) \(notLoaded)) + (SELECT count(*) \(unknown))")
        ?? 0
      var oldest: [(ObjectKey, Int64)] = []
      if let row = try Row.fetchOne(
        database,
        sql: "SELECT files.*, committed_at, received \(notLoaded) ORDER BY commit_number LIMIT 1")
      {
        let waiting = Self.waiting(row)
        oldest.append((waiting.file.key, waiting.received))
      }
      if let row = try Row.fetchOne(
        database,
        sql: "SELECT key, received FROM pipe_queue ORDER BY received, key LIMIT 1")
      {
        oldest.append((ObjectKey(trusted: row["key"]), row["received"]))
      }
      if let first = oldest.min(by: { $0.1 < $1.1 }), backlog.pending > 0 {
        backlog.oldest = first.0
        backlog.oldestReceived = first.1
      }
      return backlog
    }
  }

  // MARK: - paused

  private static let pausedGauge = "pipe.paused"

  public func isPipePaused() throws -> Bool { try gauge(Self.pausedGauge, as: Bool.self) ?? false }

  public func setPipePaused(_ isPaused: Bool) throws { try setGauge(Self.pausedGauge, isPaused) }
}
