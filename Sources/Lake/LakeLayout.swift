public import Foundation
public import ObjectStore

/// Where things stand in a lake.
///
/// `raw/`, `bronze/dt=…/`, `quarantine/dt=…/`, `commits/`, `gold/`, `dimensions/` and `tmp/`: other
/// programs read them by these names, so they are a promise.
public enum LakeLayout {
  public static let raw = "raw/"
  public static let bronze = "bronze/"
  public static let quarantine = "quarantine/"
  public static let commits = "commits/"
  public static let checkpoints = "checkpoints/"
  public static let gold = "gold/"
  public static let dimensions = "dimensions/"
  public static let work = "tmp/"

  public static func commit(_ number: Int) -> ObjectKey {
    ObjectKey(trusted: "\(commits)\(number).json")
  }

  /// Holds the commits `number - checkpointLength + 1 ... number`, a line each.
  public static func checkpoint(_ number: Int) -> ObjectKey {
    ObjectKey(trusted: "\(checkpoints)\(number).ndjson")
  }

  /// How many commits one checkpoint sums up.
  public static let checkpointLength = 1000

  /// Where raw objects that arrive in this hour stand: `raw/yyyy=2026/mm=11/dd=23/HH=17/`.
  public static func rawHour(_ date: Date) -> String {
    let text = Timestamp.text(date)
    let parts = text.split(whereSeparator: { "-T:".contains($0) })
    return "\(raw)yyyy=\(parts[0])/mm=\(parts[1])/dd=\(parts[2])/HH=\(parts[3])/"
  }

  /// - Parameter day: the UTC date of the rows, `2026-11-23`.
  public static func bronzeFile(day: String, batch: BatchID, number: Int) -> ObjectKey {
    ObjectKey(trusted: "\(bronze)dt=\(day)/\(batch)-\(number).parquet")
  }

  /// - Parameter day: the UTC date on which the raw objects arrived.
  public static func quarantineFile(day: String, batch: BatchID) -> ObjectKey {
    ObjectKey(trusted: "\(quarantine)dt=\(day)/\(batch).ndjson")
  }

  /// Where the file with this key is written before its batch is committed.
  public static func workFile(for key: ObjectKey, batch: BatchID) -> ObjectKey {
    ObjectKey(trusted: "\(work)\(batch)/\(key.text)")
  }

  public static let goldPointer = ObjectKey(trusted: "\(gold)current.json")

  public static func goldFile(table: String, refresh: BatchID) -> ObjectKey {
    ObjectKey(trusted: "\(gold)\(table)/\(refresh).parquet")
  }

  /// What a simulated world knows beyond its events, as CSV with a header: each replaced as a whole.
  public static let products = ObjectKey(trusted: "\(dimensions)products.csv")
  public static let stores = ObjectKey(trusted: "\(dimensions)stores.csv")
  public static let customerIdentities = ObjectKey(
    trusted: "\(dimensions)customer_identities.csv")

  /// Whether an object under `raw/` is one that bronze reads.
  public static func isRawObject(_ key: ObjectKey) -> Bool {
    key.text.hasSuffix(".json") || key.text.hasSuffix(".json.gz")
  }

  /// The UTC date on which a raw object arrived: of its key (`raw/yyyy=2026/mm=11/dd=23/…`), or
  /// where that has none, of its last change.
  public static func arrivalDay(of object: ObjectInfo) -> String {
    let parts = object.key.text.split(separator: "/")
    if parts.count > 4,
      let year = digits(parts[1], after: "yyyy=", count: 4),
      let month = digits(parts[2], after: "mm=", count: 2),
      let day = digits(parts[3], after: "dd=", count: 2)
    {
      return "\(year)-\(month)-\(day)"
    }
    return Timestamp.day(unixSeconds: object.modifiedNanos / 1_000_000_000)
  }

  private static func digits(_ part: Substring, after label: String, count: Int) -> Substring? {
    guard part.hasPrefix(label) else { return nil }
    let value = part.dropFirst(label.count)
    guard value.utf8.count == count, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return value
  }
}
