import Foundation
import GRDB
import Lake
public import ObjectStore

extension Ledger {
  /// What the ledger makes of some listed raw objects.
  public struct Sorted: Sendable {
    /// Not consumed yet, and not parked as they are.
    public var new: [ObjectInfo] = []
    /// Consumed, but no longer what was consumed.
    public var changed: [ObjectInfo] = []
  }

  /// Tells the objects that wait to be consumed from those that were, and notes those whose
  /// content changed afterwards: they are an alarm, and never consumed again.
  public func sort(_ objects: [ObjectInfo]) throws -> Sorted {
    let sorted = try read { database in
      var sorted = Sorted()
      let consumed = try database.cachedStatement(
        sql: "SELECT size, modified FROM raw_objects WHERE key = ?")
      let parked = try database.cachedStatement(
        sql: "SELECT size, modified FROM parked WHERE key = ?")
      for object in objects {
        if let row = try Row.fetchOne(consumed, arguments: [object.key.text]) {
          if row["size"] != object.sizeBytes || row["modified"] != object.modifiedNanos {
            sorted.changed.append(object)
          }
        } else if let row = try Row.fetchOne(parked, arguments: [object.key.text]),
          row["size"] == object.sizeBytes, row["modified"] == object.modifiedNanos
        {
          continue
        } else {
          sorted.new.append(object)
        }
      }
      return sorted
    }
    if !sorted.changed.isEmpty {
      let now = Timestamp.text(Date())
      try write { database in
        for object in sorted.changed {
          try database.execute(
            sql: "INSERT OR REPLACE INTO changed(key, size, modified, at) VALUES (?, ?, ?, ?)",
            arguments: [object.key.text, object.sizeBytes, object.modifiedNanos, now])
        }
      }
    }
    return sorted
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
