import GRDB
import Lake
public import ObjectStore

extension Ledger {
  /// What became of a file in the pipe. Times are in milliseconds since 1970.
  public struct PipeEvent: Sendable, Equatable {
    /// Rises from event to event.
    public let number: Int
    public let key: ObjectKey
    public let received: Int64
    public let at: Int64
    /// In bytes.
    public let size: Int64
    /// Rows loaded.
    public let rows: Int
    /// Why the load failed; nil if it did not.
    public let error: String?
  }

  /// A row of the warehouse's load history.
  public struct LoadedFile: Sendable {
    public let key: String
    public let size: Int64
    public let rows: Int
    /// Both in milliseconds since 1970.
    public let received: Int64
    public let at: Int64

    public init(key: String, size: Int64, rows: Int, received: Int64, at: Int64) {
      self.key = key
      self.size = size
      self.rows = rows
      self.received = received
      self.at = at
    }
  }

  /// Notes that files are in the warehouse, as events of one moment, and what the warehouse now
  /// holds.
  public func recordLoaded(_ files: [Waiting], at: Int64, counts: some Encodable) throws {
    try write { database in
      try Self.setGauge(Self.warehouseGauge, counts, database)
      try Self.observe(
        files.map { (.pipeLag, seconds: Double(at - $0.received) / 1000) }, database)
      for waiting in files {
        try Self.markLoaded(waiting.file.key.text, database)
        try Self.insertEvent(
          waiting.file.key, received: waiting.received, at: at, size: waiting.file.size,
          rows: waiting.file.rows, error: nil, isNoted: true, database)
      }
    }
  }

  /// Notes that a file cannot be loaded, unless that, for the same reason, was the last that is
  /// known of it.
  ///
  /// - Parameter notification: kept until it is delivered.
  /// - Returns: whether it is news.
  @discardableResult
  public func recordFailed(
    _ key: ObjectKey, received: Int64, at: Int64, size: Int64, error: String,
    notification: (id: String, body: String)?
  ) throws -> Bool {
    try write { database in
      let last = try Row.fetchOne(
        database,
        sql: "SELECT error FROM pipe_events WHERE key = ? ORDER BY number DESC LIMIT 1",
        arguments: [key.text])
      let wasQueued =
        try Bool.fetchOne(
          database, sql: "SELECT EXISTS (SELECT 1 FROM pipe_queue WHERE key = ?)",
          arguments: [key.text]) ?? false
      try database.execute(sql: "DELETE FROM pipe_queue WHERE key = ?", arguments: [key.text])
      // Whoever asked for it again waits for an answer of its own.
      if !wasQueued, let last, last["error"] as String? == error { return false }
      try Self.insertEvent(
        key, received: received, at: at, size: size, rows: 0, error: error, isNoted: false,
        database)
      try Self.count(.failedLoads, database)
      if let notification {
        try database.execute(
          sql: "INSERT OR IGNORE INTO pipe_notifications(id, body) VALUES (?, ?)",
          arguments: [notification.id, notification.body])
      }
      return true
    }
  }

  /// Adds the loads of the warehouse's history that have no event: those of before a crash, or of
  /// before the ledger was made.
  public func restoreEvents(_ history: [LoadedFile]) throws {
    try write { database in
      let insert = try database.cachedStatement(
        sql: """
          INSERT INTO pipe_events(key, received, at, size, rows, noted)
          SELECT ?1, ?2, ?3, ?4, ?5, 1 WHERE NOT EXISTS
            (SELECT 1 FROM pipe_events WHERE key = ?1 AND error IS NULL)
          """)
      for file in history {
        try insert.execute(arguments: [file.key, file.received, file.at, file.size, file.rows])
      }
    }
  }

  private static func insertEvent(
    _ key: ObjectKey, received: Int64, at: Int64, size: Int64, rows: Int, error: String?,
    isNoted: Bool, _ database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO pipe_events(key, received, at, size, rows, error, noted)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """, arguments: [key.text, received, at, size, rows, error, isNoted])
    try database.execute(sql: "DELETE FROM pipe_queue WHERE key = ?", arguments: [key.text])
  }

  // MARK: - asking

  /// The newest events of those after a number and not before an instant, oldest first.
  public func pipeEvents(
    after number: Int, since: Int64, newest limit: Int
  ) throws -> [PipeEvent] {
    try events("number > ? AND at >= ? ORDER BY number DESC LIMIT ?", [number, since, limit])
      .reversed()
  }

  /// The oldest events from one instant on and before another.
  public func pipeEvents(from start: Int64, until end: Int64, limit: Int) throws -> [PipeEvent] {
    try events("at >= ? AND at < ? ORDER BY at, number LIMIT ?", [start, end, limit])
  }

  /// How many events have come after a number.
  public func pipeEventCount(after number: Int) throws -> Int {
    try read {
      try Int.fetchOne(
        $0, sql: "SELECT count(*) FROM pipe_events WHERE number > ?", arguments: [number]) ?? 0
    }
  }

  public func lastPipeEventNumber() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT max(number) FROM pipe_events") ?? 0 }
  }

  public func lastLoadedEvent() throws -> PipeEvent? {
    try events("error IS NULL ORDER BY number DESC LIMIT 1", []).first
  }

  /// The failures of which the warehouse does not know yet, oldest first.
  public func unnotedFailures() throws -> [PipeEvent] {
    try events("noted = 0 ORDER BY number LIMIT 1000", [])
  }

  public func markNoted(_ events: [PipeEvent]) throws {
    try write { database in
      for event in events {
        try database.execute(
          sql: "UPDATE pipe_events SET noted = 1 WHERE number = ?", arguments: [event.number])
      }
    }
  }

  private func events(_ condition: String, _ arguments: StatementArguments) throws -> [PipeEvent] {
    try read {
      try Row.fetchAll(
        $0, sql: "SELECT * FROM pipe_events WHERE \(condition)", arguments: arguments
      ).map {
        PipeEvent(
          number: $0["number"], key: ObjectKey(trusted: $0["key"]), received: $0["received"],
          at: $0["at"], size: $0["size"], rows: $0["rows"], error: $0["error"])
      }
    }
  }

  // MARK: - notifications

  /// The notifications that were not delivered.
  public func pipeNotifications() throws -> [(id: String, body: String)] {
    try read {
      try Row.fetchAll($0, sql: "SELECT id, body FROM pipe_notifications ORDER BY rowid LIMIT 100")
        .map { ($0["id"], $0["body"]) }
    }
  }

  public func removePipeNotification(_ id: String) throws {
    try write {
      try $0.execute(sql: "DELETE FROM pipe_notifications WHERE id = ?", arguments: [id])
    }
  }
}
