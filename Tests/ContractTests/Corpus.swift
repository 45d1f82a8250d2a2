import CZlib
import Contract
import Foundation
import Testing

/// The judged lines that every engine is tested on.
struct Corpus {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let line: [UInt8]
    let verdict: Verdict
    let expected: Expected?
    let rescuedDigest: String?

    var testDescription: String { name }
  }

  /// The row of an accepted line, as the corpus writes it.
  struct Expected: Decodable, Sendable {
    let eventId: String
    let ts: String
    let dt: String
    let storeId: String?
    let customerId: String?
    let productId: String?
    let category: String?
    let price: Double?
    let quantity: Int32?
    let totalAmount: Double?
    let _rescuedData: String?

    func row(line: Int64) throws -> Row {
      func text(_ value: String?) -> Cell { value.map(Cell.string) ?? .null }
      func number(_ value: Double?) -> Cell { value.map(Cell.number) ?? .null }
      guard let day = UTCDay.day(dt) else { throw Unreadable(what: dt) }
      return Row(
        day: day, line: line, object: 7,
        cells: [
          "event_id": text(eventId), "ts": .micros(try micros(ts)), "store_id": text(storeId),
          "customer_id": text(customerId), "product_id": text(productId),
          "category": text(category), "price": number(price),
          "quantity": quantity.map(Cell.int32) ?? .null, "total_amount": number(totalAmount),
          "_rescued_data": text(_rescuedData),
        ])
    }

    /// "2026-11-20T13:45:10.123456Z", by the C library's calendar.
    private func micros(_ text: String) throws -> Int64 {
      let parts = text.split(whereSeparator: { "-T:.Z".contains($0) }).compactMap { Int32($0) }
      guard parts.count == 7 else { throw Unreadable(what: text) }
      return referenceMicros(
        year: parts[0], month: parts[1], day: parts[2], hour: parts[3], minute: parts[4],
        second: parts[5]) + Int64(parts[6])
    }
  }

  struct Unreadable: Error {
    let what: String
  }

  private struct Entry: Decodable {
    let name: String
    let line: String?
    let lineBase64: String?
    let lineZlibBase64: String?
    let verdict: String
    let reason: String?
    let row: Expected?
    let rescuedSha256: String?
  }

  static func cases() throws -> [Case] {
    let text = try Repository.bytes("contract/corpus/purchase_lines.jsonl")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try text.split(separator: UInt8(ascii: "\n")).map { line in
      let entry = try decoder.decode(Entry.self, from: Data(line))
      return Case(
        name: entry.name, line: try bytes(of: entry), verdict: try verdict(of: entry),
        expected: entry.row, rescuedDigest: entry.rescuedSha256)
    }
  }

  private static func bytes(of entry: Entry) throws -> [UInt8] {
    if let line = entry.line { return Array(line.utf8) }
    if let text = entry.lineBase64, let data = Data(base64Encoded: text) { return Array(data) }
    guard let text = entry.lineZlibBase64, let data = Data(base64Encoded: text) else {
      throw Unreadable(what: entry.name)
    }
    let packed = Array(data)
    var line = [UInt8](repeating: 0, count: 4 << 20)
    var size = uLong(line.count)
    guard uncompress(&line, &size, packed, uLong(packed.count)) == Z_OK else {
      throw Unreadable(what: entry.name)
    }
    return Array(line.prefix(Int(size)))
  }

  private static func verdict(of entry: Entry) throws -> Verdict {
    switch (entry.verdict, entry.reason.flatMap(QuarantineReason.init(rawValue:))) {
    case ("accepted", nil): return .accepted
    case ("blank", nil): return .blank
    case ("quarantined", let reason?): return .quarantined(reason)
    default: throw Unreadable(what: entry.name)
    }
  }
}

/// Microseconds since 1970 by the C library's calendar, which shares nothing with the decoder's.
func referenceMicros(
  year: Int32, month: Int32, day: Int32, hour: Int32, minute: Int32, second: Int32
) -> Int64 {
  var time = tm()
  time.tm_year = year - 1900
  time.tm_mon = month - 1
  time.tm_mday = day
  time.tm_hour = hour
  time.tm_min = minute
  time.tm_sec = second
  return Int64(timegm(&time)) * 1_000_000
}
