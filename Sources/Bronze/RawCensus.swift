public import Lake
public import Ledger
public import ObjectStore

/// Tells which raw objects wait to be consumed, and keeps watch over those that were.
///
/// An object that was consumed must stay what it was. Where its size or modification time is
/// another, its content decides: the same bytes, copied or touched, are taken note of; other bytes
/// are an alarm, and are never consumed.
public struct RawCensus: Sendable {
  private let lake: Lake
  private let ledger: Ledger

  public init(lake: Lake, ledger: Ledger) {
    self.lake = lake
    self.ledger = ledger
  }

  /// Those of the listed objects that nobody consumed.
  public func waiting(among objects: [ObjectInfo]) async throws -> [ObjectInfo] {
    let sorted = try ledger.sort(objects)
    for object in sorted.restored { try ledger.recordUnchanged(object) }
    for (object, checksum) in sorted.touched {
      if try await RawLineCounter(object.key, in: lake.store)?.checksum == checksum {
        try ledger.recordUnchanged(object)
      } else {
        try ledger.recordChanged(object)
      }
    }
    return sorted.new
  }
}
