import Contract
import Foundation
import TestSupport
import Testing

@Suite("Rows")
struct RowTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
  }

  private func feed(_ text: String, index: UInt32 = 0) -> LineCounts {
    decoder.begin(sourceObject: "raw/a.json", objectIndex: index)
    Array(text.utf8).withUnsafeBytes { decoder.decode($0) }
    return decoder.finish()
  }

  @Test("Rows gather by day over objects, with the object and line they came from")
  func partitions() throws {
    let lines = (0..<500).map {
      event("\"quantity\":\($0 + 1)", ts: "2026-11-\(10 + $0 % 9)T00:00:00Z")
    }
    for index in 0..<4 {
      #expect(feed(lines.joined(separator: "\n"), index: UInt32(index)).accepted == 500)
    }
    let partitions = decoder.partitions
    #expect(partitions.rowCount == 2000)
    #expect(partitions.days.map(UTCDay.dayString) == (10...18).map { "2026-11-\($0)" })
    #expect(partitions[0] == nil)
    let first = try #require(partitions.days.first)
    let columns = try #require(partitions[first])
    #expect(columns.day == first)
    #expect(columns.rowCount == 224)
    #expect(columns.columns.allSatisfy { $0.count == 224 })
    #expect(columns.columns.map(\.name).last == "_rescued_data")
    #expect(columns.columns.map(\.nullCount) == [0, 0, 224, 224, 224, 224, 224, 0, 224, 224])
    #expect(Array(columns.objectIndexes) == (0..<4).flatMap { [UInt32](repeating: $0, count: 56) })
    #expect(Array(columns.lineNumbers.prefix(3)) == [1, 10, 19])
    for row in Decoded.takeRows(of: decoder) {
      #expect(row.cells["quantity"] == .int32(Int32(row.line)))
    }
    #expect(partitions.days.isEmpty)
    #expect(partitions.rowCount == 0)
    #expect(partitions.sizeBytes == 0)
  }

  @Test("Memory of a day that was removed is used again and shows nothing of it")
  func recycling() throws {
    for round in 0..<50 {
      for day in 10..<18 {
        let name = "round \(round) day \(day)"
        let text = (0..<100).map {
          event("\"store_id\":\"\(name)\",\"z\":\($0)", ts: "2026-11-\(day)T00:00:00Z")
        }
        #expect(feed(text.joined(separator: "\n")).accepted == 100)
      }
      let rows = Decoded.takeRows(of: decoder)
      #expect(rows.count == 800)
      for (index, row) in rows.enumerated() {
        #expect(row.cells["store_id"] == .string("round \(round) day \(10 + index / 100)"))
        #expect(row.cells["_rescued_data"] == .string("{\"z\":\(index % 100)}"))
        #expect(row.cells["category"] == .null)
      }
    }
    let reserved = decoder.partitions.reservedBytes
    #expect(reserved > 0)
    #expect(reserved < 1 << 20)
  }

  @Test("Names that are numbered keep their codes, whatever the tables' seed")
  func numberedNames() throws {
    var random = SeededGenerator(seed: 6)
    let text = Array(
      (0..<16_000).map { _ in
        event("\"customer_id\":\"C\(Int.random(in: 100_000..<108_100, using: &random))\"") + "\n"
      }.joined().utf8)
    for _ in 0..<100 {
      let decoder = LineDecoder(contract: try Repository.contract())
      decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
      text.withUnsafeBytes { decoder.decode($0) }
      #expect(decoder.finish().accepted == 16_000)
      let columns = try #require(decoder.partitions.takeAll().first).columns
      let customers = try #require(columns.first { $0.name == "customer_id" })
      guard case .codes(_, let values) = customers.content else {
        Issue.record("the table was given up")
        continue
      }
      #expect((6_500...8_101).contains(values.count))
    }
  }

  @Test("The size follows the rows, and a day emptied in place has none")
  func sizes() throws {
    #expect(decoder.partitions.sizeBytes == 0)
    let text = String(repeating: event("\"category\":\"0123456789\"") + "\n", count: 100_000)
    #expect(feed(text).accepted == 100_000)
    let size = decoder.partitions.sizeBytes
    #expect(size > 100_000 * 40)
    #expect(size < 100_000 * 120)
    #expect(decoder.partitions.reservedBytes >= size)
    #expect(decoder.partitions.reservedBytes < size * 3)
    let day = try #require(decoder.partitions.days.first)
    decoder.partitions[day]?.removeAll()
    #expect(decoder.partitions.days.isEmpty)
    #expect(decoder.partitions[day] == nil)
    #expect(feed(event()).accepted == 1)
    #expect(decoder.partitions.rowCount == 1)
  }

  @Test("Rows of many days, in any order, each find their own")
  func manyDays() throws {
    var random = SystemRandomNumberGenerator()
    var expected: [Int32: [Int64]] = [:]
    var text = ""
    for line in 1...20_000 {
      let day = Int32.random(in: 10_957..<47_482, using: &random) / 40 * 40
      let clamped = max(10_957, day)
      expected[clamped, default: []].append(Int64(line))
      text += event(ts: "\(UTCDay.dayString(clamped))T12:00:00Z") + "\n"
    }
    #expect(feed(text).accepted == 20_000)
    #expect(decoder.partitions.days == expected.keys.sorted())
    for (day, lines) in expected {
      let columns = try #require(decoder.partitions[day])
      #expect(Array(columns.lineNumbers) == lines)
    }
    decoder.partitions.removeAll()
    #expect(decoder.partitions.days.isEmpty)
  }

  @Test("Values of every length come back, with and without escapes")
  func lengths() throws {
    var text = ""
    var expected: [String] = []
    for length in Array(0..<200) + [1000, 65_536, 300_000] {
      let value = String(repeating: "a", count: length)
      text +=
        event("\"category\":\"\(value)\"") + "\n" + event("\"category\":\"\(value)\\n\"") + "\n"
      expected += [value, value + "\n"]
    }
    #expect(feed(text).accepted == expected.count)
    let rows = Decoded.takeRows(of: decoder)
    #expect(rows.map { $0.cells["category"] } == expected.map { Cell.string($0) })
  }

  @Test("Keys in any order, known or not, escaped or not, give the same row")
  func orders() throws {
    var random = SystemRandomNumberGenerator()
    let members = [
      #""event_id":"e1""#, #""t\u0073":"2026-11-20T00:00:00Z""#, #""store_id":"S1""#,
      #""customer_id":"C1""#, #""\u0070roduct_id":"P1""#, #""category":"home""#, #""price":1.5"#,
      #""quantity":2"#, #""total_amount":3"#,
    ]
    var object = ""
    for _ in 0..<2000 {
      let shuffled = members.shuffled(using: &random)
      object += "{" + shuffled.joined(separator: Bool.random(using: &random) ? "," : " , ") + "}\n"
    }
    let decoded = try Decoded(Array(object.utf8), by: decoder)
    #expect(decoded.rows.count == 2000)
    let first = try #require(decoded.rows.first).cells
    #expect(first["product_id"] == .string("P1"))
    #expect(decoded.rows.allSatisfy { $0.cells == first })
  }

  @Test("Names that only look like a field's are unknown")
  func lookalikes() throws {
    for name in [
      "event_i", "event_idx", "EVENT_ID", "total_amoun", "total_amount_", "total_amount2", "t",
      "tss", "price\\u0000", "quantity ",
    ] {
      let decoded = try Decoded(Array(event("\"\(name)\":1").utf8), by: decoder)
      #expect(decoded.rows.first?.cells["_rescued_data"] == .string("{\"\(name)\":1}"))
    }
  }

  @Test("Names of every length flow, and differ from their own beginnings")
  func longFieldNames() throws {
    let names = (1...128).map { String(repeating: "n", count: $0) }
    let schema = """
      {"type":"object","required":["event_id","ts"],"properties":{"event_id":{"type":"string"},
      "ts":{"type":"string","format":"date-time"},
      \(names.map { "\"\($0)\":{\"type\":\"integer\"}" }.joined(separator: ","))}}
      """
    let decoder = LineDecoder(contract: try EventContract(schema: Array(schema.utf8)))
    for order in [names, names.reversed(), names.shuffled()] {
      let members = order.map { "\"\($0)\":\($0.count)" }.joined(separator: ",")
      let line = Array(event(members).utf8)
      let decoded = try Decoded(line + Array("\n".utf8) + line, by: decoder)
      #expect(decoded.rows.count == 2)
      for row in decoded.rows {
        for name in names { #expect(row.cells[name] == .int64(Int64(name.count))) }
        #expect(row.cells["_rescued_data"] == .null)
      }
    }
  }
}
