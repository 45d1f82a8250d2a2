import Bronze
import Contract
import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import TestSupport
import Testing

@Suite struct RedriveTests {
  /// A lake with lines that only a later contract takes.
  private func quarantined() async throws -> TestLake {
    let test = try await TestLake()
    let long = String(repeating: "i", count: 300)
    try await test.put(
      """
      \(TestLake.line(id: "a"))
      \(TestLake.line(id: long))
      broken
      \(TestLake.line(id: "old", ts: "1999-12-31T00:00:00Z"))
      """, at: "raw/x.json")
    try await test.put("broken too", at: "raw/y.json")
    try await test.consume()
    return test
  }

  private func edit(_ test: inout TestLake) throws {
    try test.editContract { schema in
      var properties = schema["properties"] as? [String: Any] ?? [:]
      var id = properties["event_id"] as? [String: Any] ?? [:]
      id["x-max-bytes"] = 512
      id["maxLength"] = 512
      properties["event_id"] = id
      schema["properties"] = properties
    }
  }

  @Test func `the same contract changes nothing`() async throws {
    let test = try await quarantined()
    let report = try await Redrive(stage: test.bronze).run()
    #expect(report == Redrive.Report())
    #expect(try test.ledger.lastCommit() == 1)
  }

  @Test func `lines that are accepted now keep their object and line`() async throws {
    var test = try await quarantined()
    try edit(&test)
    let report = try await Redrive(stage: test.bronze).run()
    #expect(report.accepted == 1)
    #expect(report.reclassified == 0)
    #expect(report.unchanged == 3)
    let rows = try DuckDBConnection(path: nil).query(
      """
      SELECT length(event_id), _source_object, _source_line
      FROM read_parquet('\(test.store.root)/bronze/*/*.parquet') ORDER BY _source_line
      """)
    #expect(rows == [[1, "raw/x.json", 1], [300, "raw/x.json", 2]])
    let totals = try test.ledger.totals()
    #expect(totals["accepted"] == 2)
    #expect(totals["raw.lines"] == 5)
    #expect(totals["quarantined.invalid_event_id"] == 0)
    #expect(totals["quarantined.malformed_json"] == 2)
    // Again, under the contract that judged them last.
    #expect(try await Redrive(stage: test.bronze).run() == Redrive.Report())
    let files = try test.ledger.quarantineFiles()
    #expect(files.map(\.file.rows).reduce(0, +) == 3)
  }

  @Test func `only lines of the named reason are judged`() async throws {
    var test = try await quarantined()
    try edit(&test)
    let none = try await Redrive(stage: test.bronze, reason: .timestampOutOfRange).run()
    #expect(none.lines == 1)
    #expect(none.accepted == 0)
    #expect(try test.ledger.lastCommit() == 1)
    let some = try await Redrive(stage: test.bronze, reason: .invalidEventID).run()
    #expect(some.accepted == 1)
    #expect(try test.ledger.quarantineFiles().map(\.file.rows).reduce(0, +) == 3)
    // The others were not judged under this contract, and are when nobody names a reason.
    let all = try await Redrive(stage: test.bronze).run()
    #expect(all.lines == 3)
    #expect(all.unchanged == 3)
  }
}
