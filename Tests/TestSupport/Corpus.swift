import CZlib
public import Contract
import Foundation
public import Testing

/// The judged lines that every engine is tested on.
public struct Corpus {
  public struct Case: CustomTestStringConvertible, Sendable {
    public let name: String
    public let line: [UInt8]
    public let verdict: Verdict
    public let expected: Expected?
    public let rescuedDigest: String?

    public var testDescription: String { name }
  }

  /// The row of an accepted line, as the corpus writes it.
  public struct Expected: Decodable, Sendable {
    public let eventId: String
    public let ts: String
    public let dt: String
    public let storeId: String?
    public let customerId: String?
    public let productId: String?
    public let category: String?
    public let price: Double?
    public let quantity: Int32?
    public let totalAmount: Double?
    public let _rescuedData: String?
  }

  public struct Unreadable: Error {
    public let what: String

    public init(what: String) { self.what = what }
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

  public static func cases() throws -> [Case] {
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
public func referenceMicros(
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
