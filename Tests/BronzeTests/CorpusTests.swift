import Bronze
import Contract
import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import TestSupport
import Testing

/// The corpus end to end: one raw object of all its lines, read back from Parquet and quarantine by
/// DuckDB.
@Suite struct CorpusTests {
  @Test func `every line of the corpus gets its row or its reason`() async throws {
    let cases = try Corpus.cases()
    #expect(cases.count == 292)
    let test = try await TestLake()
    let key = ObjectKey(trusted: "raw/corpus.json")
    // A blank line first: a byte order mark at an object's start would belong to no line.
    let object = [UInt8(ascii: "\n")] + Array(cases.map(\.line).joined(separator: [0x0A]))
    _ = try await test.store.put(object, at: key)
    try await test.consume()

    let connection = try DuckDBConnection(path: nil)
    let rows = try connection.query(
      """
      SELECT _source_line, event_id, strftime(ts AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), dt,
        store_id, customer_id, product_id, category, price, quantity, total_amount,
        _rescued_data, _source_object
      FROM read_parquet('\(test.store.root)/bronze/*/*.parquet', hive_partitioning = true,
        hive_types_autocast = false)
      """)
    let rowOfLine = Dictionary(uniqueKeysWithValues: rows.map { ($0[0].int ?? 0, $0) })
    let records = try connection.query(
      """
      SELECT line, reason, source_object, byte_offset, byte_length
      FROM read_json('\(test.store.root)/quarantine/*/*.ndjson', format = 'newline_delimited',
        maximum_object_size = 16777216, columns = {line: 'BIGINT', reason: 'VARCHAR',
        source_object: 'VARCHAR', byte_offset: 'BIGINT', byte_length: 'BIGINT'})
      """)
    let recordOfLine = Dictionary(uniqueKeysWithValues: records.map { ($0[0].int ?? 0, $0) })

    var offset = 1
    for (index, item) in cases.enumerated() {
      let line = index + 2
      switch item.verdict {
      case .blank:
        #expect(rowOfLine[line] == nil && recordOfLine[line] == nil, "\(item.name)")
      case .quarantined(let reason):
        let record = try #require(recordOfLine[line], "\(item.name)")
        let length = item.line.count - (item.line.last == UInt8(ascii: "\r") ? 1 : 0)
        #expect(
          record == [
            .int(Int64(line)), .text(reason.rawValue), .text(key.text), .int(Int64(offset)),
            .int(Int64(length)),
          ], "\(item.name)")
        #expect(rowOfLine[line] == nil, "\(item.name)")
      case .accepted:
        let row = try #require(rowOfLine[line], "\(item.name)")
        try check(row, item, key)
        #expect(recordOfLine[line] == nil, "\(item.name)")
      }
      offset += item.line.count + 1
    }
  }

  private func check(_ row: [DuckDBValue], _ item: Corpus.Case, _ key: ObjectKey) throws {
    let expected = try #require(item.expected)
    func text(_ value: String?) -> DuckDBValue { value.map(DuckDBValue.text) ?? .null }
    func number(_ value: Double?) -> DuckDBValue { value.map(DuckDBValue.double) ?? .null }
    let values: [DuckDBValue] = [
      text(expected.eventId), text(expected.ts), text(expected.dt), text(expected.storeId),
      text(expected.customerId), text(expected.productId), text(expected.category),
      number(expected.price), expected.quantity.map { .int(Int64($0)) } ?? .null,
      number(expected.totalAmount),
    ]
    #expect(Array(row[1...10]) == values, "\(item.name)")
    #expect(row[12] == .text(key.text))
    if let digest = item.rescuedDigest {
      #expect(row[11].text.map { sha256(Array($0.utf8)) } == digest, "\(item.name)")
    } else {
      #expect(row[11] == text(expected._rescuedData), "\(item.name)")
    }
  }
}
