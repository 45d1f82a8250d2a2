import Foundation
import GRDB

extension Ledger {
  /// Keeps a record under a name, in place of what was there. Whoever held the warehouse writes
  /// its counts here as it leaves, so that nobody has to wait for it to know them.
  public func setGauge(_ name: String, _ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    try write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO gauges(name, value) VALUES (?, ?)", arguments: [name, text])
    }
  }

  /// The record under a name; nil if there is none, or none of this shape.
  public func gauge<T: Decodable>(_ name: String, as type: T.Type) throws -> T? {
    let text = try read {
      try String.fetchOne($0, sql: "SELECT value FROM gauges WHERE name = ?", arguments: [name])
    }
    return text.flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
  }
}
