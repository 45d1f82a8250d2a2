import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import TestSupport
import Testing
import Warehouse

@Suite struct PipeStageTests {
  private func staging(_ test: TestLake, _ columns: String) async throws -> [[DuckDBValue]] {
    try await test.warehouse.withConnection {
      try $0.query(
        "SELECT \(columns) FROM \(StagingTable.name) ORDER BY _source_object, _source_line")
    }
  }

  private func loaded(_ objects: [String: String]) async throws -> TestLake {
    let test = try await TestLake()
    for (key, text) in objects { try await test.put(text, at: key) }
    try await test.consume()
    try await test.pipe.runOnce()
    return test
  }

  @Test func `published files are loaded once, with a number that rises from file to file`()
    async throws
  {
    let test = try await loaded(["raw/a.json": TestLake.line(id: "a")])
    try await test.put(TestLake.line(id: "b", ts: "2026-11-21T23:59:59.999999Z"), at: "raw/b.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try await test.pipe.runOnce()
    #expect(
      try await staging(
        test, "event_id, CAST(dt AS VARCHAR), _load_seq, CAST(epoch_us(ts) AS BIGINT)")
        == [
          ["a", "2026-11-20", 1, 1_795_182_310_123_456],
          ["b", "2026-11-21", 2, 1_795_305_599_999_999],
        ])
    #expect(try test.ledger.waitingFileCount() == 0)
  }

  @Test func `a deleted ledger loads nothing twice`() async throws {
    let test = try await loaded(["raw/a.json": TestLake.line(id: "a")])
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: test.ledger.path + suffix)
    }
    let again = try await TestLake(in: test.directory)
    try await again.consume()
    try await again.pipe.runOnce()
    #expect(try await staging(again, "event_id") == [["a"]])
  }

  @Test func `a deleted warehouse is loaded anew`() async throws {
    let test = try await loaded(["raw/a.json": TestLake.line(id: "a")])
    try FileManager.default.removeItem(atPath: test.warehouse.path)
    try await test.pipe.runOnce()
    #expect(try await staging(test, "event_id") == [["a"]])
  }

  @Test func `a file that is not what was committed is parked, not loaded`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    let file = try #require(try test.ledger.waitingFiles(limit: 1).first).file
    var bytes = try await test.store.read(file.key)
    bytes[bytes.count / 2] ^= 1
    try await test.store.replace(bytes, at: file.key)
    try await test.put(TestLake.line(id: "b"), at: "raw/b.json")
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(try await staging(test, "event_id") == [["b"]])
    let parked = try test.ledger.troubles().parked
    #expect(parked.map(\.key) == [file.key.text])
    #expect(parked.map(\.reason) == ["is not what commit 1 made"])
    // Restored, it is loaded by the next start.
    bytes[bytes.count / 2] ^= 1
    try await test.store.replace(bytes, at: file.key)
    try await test.pipe.runOnce()
    #expect(try await staging(test, "event_id") == [["a"], ["b"]])
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test func `a file that is gone is parked`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    let file = try #require(try test.ledger.waitingFiles(limit: 1).first).file
    try await test.store.delete(file.key)
    try await test.pipe.runOnce()
    #expect(try test.ledger.troubles().parked.map(\.reason) == ["is not in its place"])
  }

  @Test func `a field that the contract gained flows to staging`() async throws {
    var test = try await loaded(["raw/a.json": TestLake.line(id: "a")])
    try test.editContract { schema in
      var properties = schema["properties"] as? [String: Any] ?? [:]
      properties["channel"] = ["type": ["string", "null"], "description": "Where it was sold."]
      schema["properties"] = properties
    }
    try await test.put(TestLake.line(id: "b", extra: #", "channel": "web""#), at: "raw/b.json")
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(
      try await staging(test, "event_id, channel, _rescued_data")
        == [["a", .null, .null], ["b", "web", .null]])
  }

  @Test func `many files are loaded together and counted apart`() async throws {
    let test = try await TestLake()
    for number in 0..<30 {
      let day = 10 + number % 15
      try await test.put(
        TestLake.line(id: "e\(number)", ts: "2026-11-\(day)T00:00:00Z"), at: "raw/\(number).json")
      if number % 10 == 9 { try await test.consume() }
    }
    try await test.pipe.runOnce()
    let files = try test.ledger.totals()["bronze.files"]
    #expect(
      try await staging(test, "DISTINCT _load_seq, 1 AS _source_object, 1 AS _source_line").count
        == files ?? 0)
    #expect(try await staging(test, "event_id").count == 30)
  }

  @Test func `a warehouse of another lake is refused`() async throws {
    let one = try await loaded(["raw/a.json": TestLake.line(id: "a")])
    let other = try await TestLake()
    try FileManager.default.copyItem(atPath: one.warehouse.path, toPath: other.warehouse.path)
    do {
      try await other.pipe.runOnce()
      Issue.record("a foreign warehouse was used")
    } catch let failure as LakeError {
      #expect(failure.code == .foreignState)
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `turns are given first come first served, and a cancelled one is passed over`() async throws
  {
    let test = try await TestLake()
    try await test.warehouse.withTurn { _ in
      let waiting = Task { try await test.warehouse.withTurn { _ in } }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
    }
    try await test.warehouse.withTurn { _ in }
  }
}
