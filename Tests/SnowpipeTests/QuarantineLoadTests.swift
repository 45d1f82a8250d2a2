import Bronze
import Contract
import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import TestSupport
import Testing
import Warehouse

@Suite struct QuarantineLoadTests {
  private func query(_ test: TestLake, _ sql: String) async throws -> [[DuckDBValue]] {
    try await test.warehouse.withConnection { try $0.query(sql) }
  }

  private func rows(_ test: TestLake) async throws -> [[DuckDBValue]] {
    try await query(
      test,
      "SELECT source_object, line, reason FROM \(QuarantineTable.name) ORDER BY 1, 2")
  }

  /// Whether the table holds the records of the files in force, each once, and nothing else.
  private func isInForce(_ test: TestLake) async throws -> Bool {
    var records: [[DuckDBValue]] = []
    let files = try test.ledger.quarantineFiles().map(\.file.key)
    for key in files {
      try await test.store.forEachLine(of: key) { line in
        let record = try QuarantineRecord(parsing: line)
        records.append([.text(record.sourceObject), .int(record.line), .text(key.text)])
      }
    }
    let found = try await query(
      test, "SELECT source_object, line, _quarantine_file FROM \(QuarantineTable.name)")
    let history = try await query(test, "SELECT path FROM \(QuarantineTable.history)")
    return Set(found) == Set(records) && found.count == records.count
      && Set(history.map { $0[0].text }) == Set(files.map(\.text))
  }

  /// Contract changes that take ids of 300 bytes.
  private func allowLongIDs(_ test: inout TestLake) throws {
    try test.editContract { schema in
      var properties = schema["properties"] as? [String: Any] ?? [:]
      var id = properties["event_id"] as? [String: Any] ?? [:]
      id["x-max-bytes"] = 300
      id["maxLength"] = 300
      properties["event_id"] = id
      schema["properties"] = properties
    }
  }

  private let longLine = TestLake.line(id: String(repeating: "i", count: 300))

  @Test func `each quarantined line is loaded once, with its file and its day of arrival`()
    async throws
  {
    let test = try await TestLake()
    try await test.put(
      "broken\n\(TestLake.line(id: "a"))\n[1]", at: "raw/yyyy=2026/mm=11/dd=20/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try await test.put("not json", at: "raw/yyyy=2026/mm=11/dd=21/b.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try await test.pipe.runOnce()
    #expect(
      try await query(
        test,
        """
        SELECT reason, line, byte_offset, byte_length, raw, raw_base64, CAST(dt AS VARCHAR)
        FROM \(QuarantineTable.name) ORDER BY dt, line
        """)
        == [
          ["malformed_json", 1, 0, 6, "broken", .null, "2026-11-20"],
          [
            "not_an_object", 3, .int(Int64(8 + TestLake.line(id: "a").utf8.count)), 3, "[1]", .null,
            "2026-11-20",
          ],
          ["malformed_json", 1, 0, 8, "not json", .null, "2026-11-21"],
        ])
    #expect(try await isInForce(test))
    #expect(try test.ledger.waitingFileCount(.quarantine) == 0)
  }

  @Test func `every quarantined line of the corpus keeps its bytes`() async throws {
    let test = try await TestLake()
    let cases = try Corpus.cases().filter {
      if case .quarantined = $0.verdict { true } else { false }
    }
    for (number, line) in cases.enumerated() {
      // A byte order mark at the start of an object is none of the line's.
      _ = try await test.store.put(
        Array("\n".utf8) + line.line, at: ObjectKey(trusted: "raw/\(number).json"))
    }
    // What takes the most room: each byte of a long line becomes six of an escape.
    _ = try await test.store.put(
      [UInt8](repeating: 1, count: 1 << 20), at: ObjectKey(trusted: "raw/long.json"))
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(try test.ledger.troubles().parked.isEmpty)
    var records: [ObjectKey: QuarantineRecord] = [:]
    for file in try test.ledger.quarantineFiles() {
      try await test.store.forEachLine(of: file.file.key) { line in
        let record = try QuarantineRecord(parsing: line)
        records[ObjectKey(trusted: record.sourceObject)] = record
      }
    }
    #expect(records.count == cases.count + 1)
    let found = try await query(
      test,
      "SELECT source_object, byte_length, raw, raw_base64, reason FROM \(QuarantineTable.name)")
    #expect(found.count == records.count)
    for row in found {
      let record = try #require(records[ObjectKey(trusted: row[0].text ?? "")])
      let bytes =
        row[2].text.map { Array($0.utf8) }
        ?? row[3].text.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
      #expect(bytes == record.raw)
      #expect(row[1].int.map(Int64.init) == record.byteLength)
      #expect(row[4].text == record.reason.rawValue)
    }
  }

  @Test func `what a redrive supersedes leaves as what is in its place arrives`() async throws {
    var test = try await TestLake()
    try await test.put("broken\n\(longLine)", at: "raw/a.json")
    try await test.put("broken too", at: "raw/b.json")
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(try await rows(test).count == 3)
    try allowLongIDs(&test)
    #expect(try await Redrive(stage: test.bronze).run().accepted == 1)
    #expect(try test.ledger.waitingFileCount(.quarantine) == 2)
    try await test.pipe.runOnce()
    #expect(
      try await rows(test)
        == [["raw/a.json", 1, "malformed_json"], ["raw/b.json", 1, "malformed_json"]])
    #expect(try await isInForce(test))
    #expect(try test.ledger.waitingFileCount(.quarantine) == 0)
  }

  @Test func `a redrive that leaves nothing in quarantine empties the table`() async throws {
    var test = try await TestLake()
    try await test.put(longLine, at: "raw/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(try await rows(test).count == 1)
    try allowLongIDs(&test)
    _ = try await Redrive(stage: test.bronze).run()
    try await test.pipe.runOnce()
    #expect(try await rows(test).isEmpty)
    #expect(try await isInForce(test))
  }

  @Test func `redrives that no load came between are taken in together`() async throws {
    var test = try await TestLake()
    let lines = [300, 400].map { TestLake.line(id: String(repeating: "i", count: $0)) }
    try await test.put("broken\n" + lines.joined(separator: "\n"), at: "raw/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try allowLongIDs(&test)
    _ = try await Redrive(stage: test.bronze).run()
    let between = try test.ledger.quarantineFiles().map(\.file.key)
    try test.editContract { schema in
      var properties = schema["properties"] as? [String: Any] ?? [:]
      var id = properties["event_id"] as? [String: Any] ?? [:]
      id["x-max-bytes"] = 500
      id["maxLength"] = 500
      properties["event_id"] = id
      schema["properties"] = properties
    }
    _ = try await Redrive(stage: test.bronze).run()
    #expect(try test.ledger.quarantineFiles().map(\.file.key) != between)
    try await test.pipe.runOnce()
    #expect(try await rows(test) == [["raw/a.json", 1, "malformed_json"]])
    #expect(try await isInForce(test))
  }

  @Test func `a redrive that is not published yet changes nothing`() async throws {
    let test = try await TestLake()
    try await test.put("broken", at: "raw/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    let old = try #require(try test.ledger.quarantineFiles().first).file
    let new = Commit.File(
      key: LakeLayout.quarantineFile(day: "2026-11-20", batch: BatchID()), size: 1, rows: 1,
      sha256: "")
    try test.ledger.apply([
      Commit(
        number: try test.ledger.lastCommit() + 1, kind: .redrive, batch: BatchID(),
        committedAt: "", contract: "", sources: [], counts: .init(), bronze: [],
        quarantine: [new], superseded: [old.key])
    ])
    #expect(try test.ledger.waitingQuarantine(limit: 10).isEmpty)
    try test.ledger.markPublished([try test.ledger.lastCommit()])
    let waiting = try test.ledger.waitingQuarantine(limit: 10)
    #expect(waiting.added.map(\.file.key) == [new.key])
    #expect(waiting.removed.map(\.file.key) == [old.key])
  }

  @Test func `a deleted ledger or warehouse is made good`() async throws {
    var test = try await TestLake()
    try await test.put("broken\n\(longLine)", at: "raw/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try allowLongIDs(&test)
    _ = try await Redrive(stage: test.bronze).run()
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: test.ledger.path + suffix)
    }
    // The warehouse has the superseded file's rows, and a new ledger does not know.
    let again = try await TestLake(in: test.directory)
    try await again.pipe.runOnce()
    #expect(try await isInForce(again))
    #expect(try await rows(again).count == 1)
    try FileManager.default.removeItem(atPath: again.warehouse.path)
    try await again.pipe.runOnce()
    #expect(try await isInForce(again))
    #expect(try await rows(again).count == 1)
  }

  @Test func `a file that is not what was committed is parked, and loaded once it is mended`()
    async throws
  {
    let test = try await TestLake()
    try await test.put("broken\n\(TestLake.line(id: "a"))", at: "raw/a.json")
    try await test.consume()
    let file = try #require(try test.ledger.quarantineFiles().first).file
    let bytes = try await test.store.read(file.key)
    try await test.store.replace(bytes.map { $0 == UInt8(ascii: "k") ? $0 + 1 : $0 }, at: file.key)
    try await test.pipe.runOnce()
    #expect(try await rows(test).isEmpty)
    #expect(try await query(test, "SELECT event_id FROM \(StagingTable.name)") == [["a"]])
    #expect(
      try test.ledger.troubles().parked.map { [$0.key, $0.stage, $0.reason] }
        == [[file.key.text, "pipe", "is not what commit 1 made"]])
    try await test.store.replace(bytes, at: file.key)
    try await test.pipe.runOnce()
    #expect(try await isInForce(test))
    #expect(try await rows(test).count == 1)
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test func `a file that cannot be loaded is parked after a few tries, alone`() async throws {
    let test = try await TestLake()
    for name in ["a", "b"] {
      try await test.put("broken", at: "raw/\(name).json")
      try await test.consume()
    }
    // Its commit, another host's, vouches for bytes that are no records.
    let text = Array("{\"reason\": \"malformed_json\", \"line\": \"one\"}\n".utf8)
    let batch = BatchID()
    let key = LakeLayout.quarantineFile(day: "2026-11-20", batch: batch)
    _ = try await test.store.put(text, at: key)
    let file = Commit.File(key: key, size: Int64(text.count), rows: 1, sha256: sha256(text))
    let commit = Commit(
      number: try test.ledger.lastCommit() + 1, kind: .bronze, batch: batch, committedAt: "",
      contract: test.contract.sha256, sources: [], counts: .init(), bronze: [],
      quarantine: [file])
    #expect(try await test.lake.commits.append(commit))
    try await test.pipe.runOnce()
    #expect(try await rows(test).count == 2)
    let parked = try test.ledger.troubles().parked
    #expect(parked.map(\.key) == [key.text])
    #expect(parked.first?.reason.hasPrefix("cannot be loaded: ") == true)
  }
}
