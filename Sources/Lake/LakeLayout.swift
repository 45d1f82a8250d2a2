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

  /// Where raw objects arrive now, and did an hour ago.
  public static func recentRawHours() -> [String] {
    [0, -3600].map { rawHour(Date(timeIntervalSinceNow: $0)) }
  }

  /// - Parameter day: the UTC date of the rows, `2026-11-23`.
  public static func bronzeFile(day: String, batch: BatchID, number: Int) -> ObjectKey {
    ObjectKey(trusted: "\(bronze)dt=\(day)/\(batch)-\(number).parquet")
  }

  /// The batch whose file this is.
  public static func batch(ofBronzeFile key: ObjectKey) -> Substring {
    let name = key.name
    return name.prefix(upTo: name.lastIndex(of: "-") ?? name.endIndex)
  }

  /// - Parameter day: the UTC date on which the raw objects arrived.
  public static func quarantineFile(day: String, batch: BatchID) -> ObjectKey {
    ObjectKey(trusted: "\(quarantine)dt=\(day)/\(batch).ndjson")
  }

  /// The `dt` of a quarantine file's key; nil if it has none that is a date.
  public static func quarantineDay(of key: ObjectKey) -> String? {
    key.text.firstMatch(of: /^quarantine\/dt=(\d{4}-\d{2}-\d{2})\//).map { String($0.1) }
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
    // raw/yyyy=2026/mm=11/dd=23/…
    let day = object.key.text.utf8.withContiguousStorageIfAvailable { bytes -> String? in
      guard bytes.count > hourPattern.count else { return nil }
      for (byte, expected) in zip(bytes, hourPattern)
      where expected == UInt8(ascii: "0") ? !(0x30...0x39).contains(byte) : byte != expected {
        return nil
      }
      func digits(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
      }
      return "\(digits(9..<13))-\(digits(17..<19))-\(digits(23..<25))"
    }
    return (day ?? nil) ?? Timestamp.day(unixSeconds: object.modifiedNanos / 1_000_000_000)
  }

  /// A digit where it has a zero.
  private static let hourPattern = Array("raw/yyyy=0000/mm=00/dd=00/".utf8)
}
