import Contract
import Foundation
import TestSupport
import Testing

@Suite("Timestamps")
struct TimestampTests {
  let decoder: LineDecoder
  /// As the contract's, but `at` takes any year.
  let wide: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
    let schema = """
      {"type":"object","required":["event_id","ts"],"properties":{
        "event_id":{"type":"string"},"ts":{"type":"string","format":"date-time"}}}
      """
    wide = LineDecoder(contract: try EventContract(schema: Array(schema.utf8)))
  }

  @Test("Random dates with random offsets are the instants that the C library computes")
  func randomDates() throws {
    var random = SystemRandomNumberGenerator()
    var texts: [String] = []
    var expected: [Int64] = []
    for _ in 0..<20_000 {
      let year = Int32.random(in: 2...9998, using: &random)
      let month = Int32.random(in: 1...12, using: &random)
      let last = try #require(lastDay(month, year))
      let day = Int32.random(in: 1...last, using: &random)
      let hour = Int32.random(in: 0...23, using: &random)
      let minute = Int32.random(in: 0...59, using: &random)
      let second = Int32.random(in: 0...59, using: &random)
      let fraction = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        Int.random(in: 0...9, using: &random)
      }
      let isUTC = Bool.random(using: &random)
      let offset = isUTC ? 0 : Int.random(in: -1439...1439, using: &random)
      let zone =
        isUTC
        ? (Bool.random(using: &random) ? "Z" : "z")
        : String(format: "%@%02d:%02d", offset < 0 ? "-" : "+", abs(offset) / 60, abs(offset) % 60)
      let mark = ["T", "t", " "].randomElement(using: &random) ?? "T"
      texts.append(
        String(format: "%04d-%02d-%02d", year, month, day) + mark
          + String(format: "%02d:%02d:%02d", hour, minute, second)
          + (fraction.isEmpty ? "" : "." + fraction.map(String.init).joined()) + zone)
      let micros = (fraction + [0, 0, 0, 0, 0, 0]).prefix(6).reduce(0) { $0 * 10 + Int64($1) }
      expected.append(
        referenceMicros(
          year: year, month: month, day: day, hour: hour, minute: minute, second: second)
          + micros - Int64(offset) * 60_000_000)
    }
    for (text, micros) in zip(texts, expected) {
      let decoded = try Decoded(Array(event(ts: text).utf8), by: wide)
      let row = try #require(decoded.rows.first, "\(text)")
      #expect(row.cells["ts"] == .micros(micros), "\(text)")
      #expect(Int64(row.day) == Int64((Double(micros) / 86_400_000_000).rounded(.down)), "\(text)")
    }
  }

  /// The last day of a month, by the C library.
  private func lastDay(_ month: Int32, _ year: Int32) -> Int32? {
    let first = referenceMicros(year: year, month: month, day: 1, hour: 0, minute: 0, second: 0)
    let next = referenceMicros(
      year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1, hour: 0, minute: 0,
      second: 0)
    return Int32(exactly: (next - first) / 86_400_000_000)
  }

  @Test("Every day of four centuries exists, and no day after a month's last")
  func everyDay() throws {
    var object = ""
    var days: [Int32] = []
    var missing = 0
    var wrong: [String] = []
    for year in Int32(1600)..<2000 {
      for month in Int32(1)...12 {
        let last = try #require(lastDay(month, year))
        for day in Int32(1)...31 {
          let date = String(format: "%04d-%02d-%02d", year, month, day)
          object += event(ts: "\(date)T00:00:00Z") + "\n"
          if day > last {
            missing += 1
            if UTCDay.day(date) != nil { wrong.append(date) }
            continue
          }
          let micros = referenceMicros(
            year: year, month: month, day: day, hour: 0, minute: 0, second: 0)
          let number = Int32(micros / 86_400_000_000)
          days.append(number)
          if UTCDay.dayString(number) != date || UTCDay.day(date) != number { wrong.append(date) }
        }
      }
    }
    #expect(wrong == [])
    let decoded = try Decoded(Array(object.utf8), by: wide)
    #expect(decoded.rows.map(\.day) == days)
    #expect(decoded.counts.quarantined == [.invalidTimestamp: missing])
  }

  @Test("Years 0001 to 9999 are in range where the schema sets none, and 0000 is out of it")
  func widestRange() throws {
    func verdict(_ text: String) -> Verdict { wide.verdict(event(ts: text).utf8) }
    #expect(verdict("0001-01-01T00:00:00Z") == .accepted)
    #expect(verdict("0001-01-01T00:00:00+00:01") == .quarantined(.timestampOutOfRange))
    #expect(verdict("0000-12-31T23:59:59-00:01") == .accepted)
    #expect(verdict("0000-02-29T00:00:00Z") == .quarantined(.timestampOutOfRange))
    #expect(verdict("0000-02-30T00:00:00Z") == .quarantined(.invalidTimestamp))
    #expect(verdict("9999-12-31T23:59:59.999999Z") == .accepted)
    #expect(verdict("9999-12-31T23:59:59-00:01") == .quarantined(.timestampOutOfRange))
    #expect(UTCDay.dayString(-719_162) == "0001-01-01")
    #expect(UTCDay.dayString(2_932_896) == "9999-12-31")
    #expect(UTCDay.dayString(0) == "1970-01-01")
    for text in [
      "2026-1-01", "2026-13-01", "2026-00-10", "2026-11-00", "20261123", "2026-11-2x", "",
    ] {
      #expect(UTCDay.day(text) == nil)
    }
  }

  @Test("Any one byte changed in a timestamp leaves a timestamp or is invalid, and never more")
  func changedBytes() throws {
    let good = Array("2026-11-20T13:45:10.123456+00:30".utf8)
    for place in good.indices {
      for byte in UInt8(0x20)...0x7E where byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
      {
        var text = good
        text[place] = byte
        let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        let wasDigit = good[place] >= UInt8(ascii: "0") && good[place] <= UInt8(ascii: "9")
        let verdict = wide.verdict(event(ts: String(decoding: text, as: UTF8.self)).utf8)
        if byte == good[place] {
          #expect(verdict == .accepted)
        } else if place == 10 {
          #expect((verdict == .accepted) == "tT ".utf8.contains(byte))
        } else if place == 26 {
          #expect(
            (verdict == .accepted) == (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")))
        } else if !wasDigit || !isDigit {
          #expect(
            verdict == .quarantined(.invalidTimestamp), "\(String(decoding: text, as: UTF8.self))")
        }
      }
    }
    for count in good.indices {
      let text = String(decoding: good.prefix(count), as: UTF8.self)
      #expect(wide.verdict(event(ts: text).utf8) == .quarantined(.invalidTimestamp), "\(text)")
    }
  }

  @Test("An optional timestamp out of its range is NULL and rescued")
  func optional() throws {
    let schema = """
      {"type":"object","required":["event_id","ts"],"properties":{
        "event_id":{"type":"string"},"ts":{"type":"string","format":"date-time"},
        "paid_at":{"type":["string","null"],"format":"date-time",
          "formatMinimum":"2020-01-01T00:00:00Z","formatExclusiveMaximum":"2021-01-01T01:00:00+01:00"}}}
      """
    let decoder = LineDecoder(contract: try EventContract(schema: Array(schema.utf8)))
    for (text, isKept) in [
      ("2020-01-01T00:00:00Z", true), ("2020-12-31T23:59:59.999999Z", true),
      ("2021-01-01T00:00:00Z", false), ("2019-12-31T23:59:59.9999999Z", false), ("soon", false),
      ("2020-06-01T00:00:00\\u005a", true),
    ] {
      let row = try Decoded(Array(event("\"paid_at\":\"\(text)\"").utf8), by: decoder).rows[0]
      #expect((row.cells["paid_at"] != .null) == isKept, "\(text)")
      #expect(
        row.cells["_rescued_data"] == (isKept ? .null : .string("{\"paid_at\":\"\(text)\"}")))
    }
  }
}
