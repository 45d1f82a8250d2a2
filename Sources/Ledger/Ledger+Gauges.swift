import Foundation
import GRDB

extension Ledger {
  /// Under which name whoever holds the warehouse leaves its counts, so that nobody has to wait for
  /// it to know them.
  public static let warehouseGauge = "warehouse"
  /// Which refresh's gold was last begun to be published, and which was published.
  public static let begunGoldGauge = "gold.begun"
  public static let publishedGoldGauge = "gold.published"

  /// Keeps a record under a name, in place of what was there.
  public func setGauge(_ name: String, _ value: some Encodable) throws {
    try write { try Self.setGauge(name, value, $0) }
  }

  static func setGauge(_ name: String, _ value: some Encodable, _ database: Database) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    try database.execute(
      sql: "INSERT OR REPLACE INTO gauges(name, value) VALUES (?, ?)", arguments: [name, text])
  }

  /// The record under a name; nil if there is none, or none of this shape.
  public func gauge<T: Decodable>(_ name: String, as type: T.Type) throws -> T? {
    try read { try Self.gauge(name, as: type, $0) }
  }

  static func gauge<T: Decodable>(
    _ name: String, as type: T.Type, _ database: Database
  ) throws -> T? {
    try String.fetchOne(database, sql: "SELECT value FROM gauges WHERE name = ?", arguments: [name])
      .flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
  }
}
