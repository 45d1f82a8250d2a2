public import Foundation
import GRDB
public import Lake
public import ObjectStore

extension Ledger {
  /// What the ledger makes of some listed raw objects.
  public struct Sorted: Sendable {
    /// Not consumed yet, and not parked as they are.
    public var new: [ObjectInfo] = []
    /// Consumed, but with another size or modification time; with the checksum of what was
    /// consumed.
    public var touched: [(object: ObjectInfo, checksum: String)] = []
    /// Noted as changed once, and now what was consumed again.
    public var restored: [ObjectInfo] = []
  }

  /// Raw objects that have yet to be consumed.
  public struct RawWaiting: Codable, Sendable, Equatable {
    public private(set) var objects = 0
    public private(set) var bytes: Int64 = 0
    /// When the oldest arrived, in nanoseconds since 1970; nil if none waits.
    public private(set) var oldestNanos: Int64?

    public init(_ found: [ObjectInfo] = []) { add(found) }

    mutating func add(_ found: [ObjectInfo]) {
      objects += found.count
      bytes += found.map(\.sizeBytes).reduce(0, +)
      oldestNanos = ([oldestNanos].compactMap(\.self) + found.map(\.modifiedNanos)).min()
    }
  }

  private static let waitingGauge = "raw.waiting"
  private static let watchedGauge = "raw.watched_until"

  /// What waited when bronze last looked.
  public func rawWaiting() throws -> RawWaiting {
    try gauge(Self.waitingGauge, as: RawWaiting.self) ?? RawWaiting()
  }

  /// Bronze's word on what waits.
  ///
  /// - Parameter until: by when it will have looked again, if it still runs.
  public func noteRawWaiting(_ waiting: RawWaiting, until: Date) throws {
    // That a turn begins or ends with nothing new is no news.
    if try rawWaiting() != waiting { try setGauge(Self.waitingGauge, waiting) }
    let seconds = until.timeIntervalSince1970
    if try seconds - (gauge(Self.watchedGauge, as: Double.self) ?? 0) > Self.noteInterval {
      try setGauge(Self.watchedGauge, seconds)
    }
  }

  /// Bronze looks at raw no more.
  public func endRawWatch() throws { try setGauge(Self.watchedGauge, Date().timeIntervalSince1970) }

  /// Bronze's word may stand for so many seconds less than it said last.
  private static let noteInterval = 5.0

  /// Whether bronze is at work, and what it says of raw can be relied on.
  public func isRawWatched(at now: Date) throws -> Bool {
    try gauge(Self.watchedGauge, as: Double.self) ?? 0 > now.timeIntervalSince1970
  }

  /// Changes whenever something may wait no more.
  public func rawState() throws -> [Double] {
    [
      Double(try lastCommit()), Double(try troubles().parked.count),
      try gauge(Self.watchedGauge, as: Double.self) ?? 0,
    ]
  }

  /// What waits in raw: by the word of bronze while it is at work, else by a look.
  public func rawWaiting(in lake: Lake, at now: Date = Date()) async throws -> RawWaiting {
    try isRawWatched(at: now) ? rawWaiting() : await lookAtRaw(in: lake)
  }

  /// Looks what waits in raw. Notes nothing, and reads no object.
  ///
  /// - Parameter limit: for how long. Of a lake that takes longer, what came in the last two hours is
  ///   told, and what else was found by then.
  public func lookAtRaw(
    in lake: Lake, limit: Duration = .seconds(2)
  ) async throws -> RawWaiting {
    let deadline = ContinuousClock.now + limit
    var waiting = RawWaiting()
    do {
      // What waits came last, and a listing begins with what came first.
      let recent = LakeLayout.recentRawHours()
      for hour in recent {
        try await lake.listRaw(hour) { page in
          waiting.add(try sort(page).new)
          return true
        }
      }
      try await lake.listRaw { page in
        let others = page.filter { !recent.contains(where: $0.key.text.hasPrefix) }
        waiting.add(try sort(others).new)
        return ContinuousClock.now < deadline
      }
    } catch let refusal as ObjectStoreError where refusal.code == .permission {
      // Not everybody who may ask how a lake stands may list raw.
      return try rawWaiting()
    }
    return waiting
  }

  /// Tells the objects that wait to be consumed from those that were, and from those that were and
  /// look otherwise now.
  public func sort(_ objects: [ObjectInfo]) throws -> Sorted {
    try read { database in
      var sorted = Sorted()
      let consumed = try database.cachedStatement(
        sql: "SELECT size, modified, checksum FROM raw_objects WHERE key = ?")
      let parked = try database.cachedStatement(
        sql: "SELECT size, modified FROM parked WHERE key = ?")
      let changed = try database.cachedStatement(
        sql: "SELECT size, modified FROM changed WHERE key = ?")
      func isKnown(_ statement: Statement, _ object: ObjectInfo) throws -> Bool? {
        try Row.fetchOne(statement, arguments: [object.key.text]).map {
          $0["size"] == object.sizeBytes && $0["modified"] == object.modifiedNanos
        }
      }
      let hasChanged = try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM changed)")
      let hasParked = try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM parked)")
      let hasConsumed = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM raw_objects)")
      for object in objects {
        if hasConsumed == true,
          let row = try Row.fetchOne(consumed, arguments: [object.key.text])
        {
          let isSame = row["size"] == object.sizeBytes && row["modified"] == object.modifiedNanos
          let known = hasChanged == true ? try isKnown(changed, object) : nil
          if isSame {
            if known != nil { sorted.restored.append(object) }
          } else if known != true {
            sorted.touched.append((object, row["checksum"]))
          }
        } else if hasParked != true {
          sorted.new.append(object)
        } else if try isKnown(parked, object) != true {
          sorted.new.append(object)
        }
      }
      return sorted
    }
  }

  /// Whether a raw object was consumed by a commit, or parked.
  public func isSettled(_ key: ObjectKey) throws -> Bool {
    try read {
      try Bool.fetchOne(
        $0,
        sql: """
          SELECT EXISTS (SELECT 1 FROM raw_objects WHERE key = ?)
            OR EXISTS (SELECT 1 FROM parked WHERE key = ?)
          """, arguments: [key.text, key.text]) ?? false
    }
  }

  /// Whether a file of bronze was loaded, superseded or parked.
  public func isLoaded(_ key: ObjectKey) throws -> Bool {
    try read {
      try Bool.fetchOne(
        $0,
        sql: """
          SELECT EXISTS (SELECT 1 FROM files WHERE key = ? AND (loaded OR superseded))
            OR EXISTS (SELECT 1 FROM parked WHERE key = ?)
          """, arguments: [key.text, key.text]) ?? false
    }
  }

  /// Notes an object whose content changed after it was consumed: an alarm.
  public func recordChanged(_ object: ObjectInfo) throws {
    let now = Timestamp.text(Date())
    try write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO changed(key, size, modified, at) VALUES (?, ?, ?, ?)",
        arguments: [object.key.text, object.sizeBytes, object.modifiedNanos, now])
    }
  }

  /// Notes that an object still, or again, is what was consumed, with this modification time.
  public func recordUnchanged(_ object: ObjectInfo) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE raw_objects SET modified = ? WHERE key = ?",
        arguments: [object.modifiedNanos, object.key.text])
      try database.execute(sql: "DELETE FROM changed WHERE key = ?", arguments: [object.key.text])
    }
  }

  /// Notes that an object failed by its own fault, and returns how often it has by now.
  public func recordTry(_ key: ObjectKey, stage: String, reason: String) throws -> Int {
    try write { database in
      try database.execute(
        sql: """
          INSERT INTO tries(key, stage, count, reason) VALUES (?, ?, 1, ?)
          ON CONFLICT (key) DO UPDATE SET count = count + 1, reason = excluded.reason
          """,
        arguments: [key.text, stage, reason])
      try Self.count(stage == "pipe" ? .pipeRetries : .bronzeRetries, database)
      return try Int.fetchOne(
        database, sql: "SELECT count FROM tries WHERE key = ?", arguments: [key.text]) ?? 1
    }
  }

  /// The objects of a stage that failed and may be tried again.
  public func tried(stage: String) throws -> [ObjectKey] {
    try read {
      try String.fetchAll(
        $0, sql: "SELECT key FROM tries WHERE stage = ? ORDER BY key", arguments: [stage]
      ).map { ObjectKey(trusted: $0) }
    }
  }

  /// Sets an object aside; it is left alone until it changes.
  public func park(_ object: ObjectInfo, stage: String, reason: String) throws {
    let now = Timestamp.text(Date())
    try write { database in
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO parked(key, stage, size, modified, reason, at)
          VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          object.key.text, stage, object.sizeBytes, object.modifiedNanos, reason, now,
        ])
      try database.execute(sql: "DELETE FROM tries WHERE key = ?", arguments: [object.key.text])
    }
  }

  /// The parked objects of some stages, with their reasons.
  public func parked(stages: [String]) throws -> [(key: ObjectKey, reason: String)] {
    try read { database in
      try Row.fetchAll(database, sql: "SELECT key, stage, reason FROM parked ORDER BY key")
        .filter { stages.contains($0["stage"]) }
        .map { (ObjectKey(trusted: $0["key"]), $0["reason"]) }
    }
  }

  /// Lets a parked object be looked at again.
  public func unpark(_ key: ObjectKey) throws {
    try write {
      try $0.execute(sql: "DELETE FROM parked WHERE key = ?", arguments: [key.text])
    }
  }

  /// Something that waits for a person.
  public struct Trouble: Sendable, Codable, Equatable {
    public let key: String
    public let stage: String
    public let reason: String
  }

  /// The parked objects, and the raw objects that changed after they were consumed.
  public func troubles() throws -> (parked: [Trouble], changed: [Trouble]) {
    try read { database in
      let parked = try Row.fetchAll(
        database, sql: "SELECT key, stage, reason FROM parked ORDER BY key"
      ).map { Trouble(key: $0["key"], stage: $0["stage"], reason: $0["reason"]) }
      let changed = try String.fetchAll(database, sql: "SELECT key FROM changed ORDER BY key")
        .map { Trouble(key: $0, stage: "raw", reason: "changed after it was consumed") }
      return (parked, changed)
    }
  }
}
