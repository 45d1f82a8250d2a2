import Bronze
import CZlib
import Contract
import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import TestSupport
import Testing

@Suite struct BronzeStageTests {
  private func rows(
    _ test: TestLake, _ columns: String, order: String = "ORDER BY _source_object, _source_line"
  ) throws -> [[DuckDBValue]] {
    try DuckDBConnection(path: nil).query(
      """
      SELECT \(columns) FROM read_parquet('\(test.store.root)/bronze/*/*.parquet',
        hive_partitioning = true, hive_types_autocast = false) \(order)
      """)
  }

  private func gzip(_ text: String) throws -> [UInt8] {
    var stream = z_stream()
    #expect(
      deflateInit2_(
        &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    var input = Array(text.utf8)
    var output = [UInt8](repeating: 0, count: input.count + 1000)
    let size = output.count
    let status = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(size)
        return deflate(&stream, Z_FINISH)
      }
    }
    #expect(status == Z_STREAM_END)
    deflateEnd(&stream)
    return Array(output.prefix(Int(stream.total_out)))
  }

  @Test func `lines become rows by UTC day, with the object and line they came from`() async throws
  {
    let test = try await TestLake()
    let late = TestLake.line(id: "b", ts: "2026-11-20T23:45:10-08:00", extra: #", "coupon": "X""#)
    try await test.put(
      "\(TestLake.line(id: "a"))\n\nbroken\n\(late)",
      at: "raw/yyyy=2026/mm=11/dd=23/HH=17/x.json")
    try await test.consume()
    let found = try rows(
      test, "event_id, dt, _source_object, _source_line, _rescued_data, CAST(ts AS VARCHAR)")
    let object = DuckDBValue.text("raw/yyyy=2026/mm=11/dd=23/HH=17/x.json")
    #expect(
      found.map { Array($0.prefix(5)) } == [
        ["a", "2026-11-20", object, 1, .null], ["b", "2026-11-21", object, 4, #"{"coupon":"X"}"#],
      ])
    let record = try String(
      contentsOfFile: quarantineFile(test, day: "2026-11-23"), encoding: .utf8)
    #expect(
      record
        == #"{"reason":"malformed_json","source_object":"raw/yyyy=2026/mm=11/dd=23/HH=17/x.json","#
        + #""line":3,"byte_offset":\#(TestLake.line(id: "a").utf8.count + 2),"#
        + #""byte_length":6,"raw":"broken"}"# + "\n")
    let totals = try test.ledger.totals()
    #expect(totals["raw.lines"] == 4)
    #expect(totals["accepted"] == 2)
    #expect(totals["blank"] == 1)
    #expect(totals["rescued.coupon"] == 1)
    #expect(!test.directory.exists("lake/tmp/\(try commit(test, 1).batch)"))
  }

  private func commit(_ test: TestLake, _ number: Int) throws -> Commit {
    try JSONDecoder().decode(
      Commit.self,
      from: Data(contentsOf: URL(filePath: "\(test.store.root)/commits/\(number).json")))
  }

  private func quarantineFile(_ test: TestLake, day: String) throws -> String {
    let directory = "\(test.store.root)/quarantine/dt=\(day)"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    return "\(directory)/\(try #require(names.first))"
  }

  @Test func `a second look consumes nothing twice`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/x.json")
    try await test.consume()
    try await test.consume()
    try await test.put(TestLake.line(id: "b"), at: "raw/y.json")
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"], ["b"]])
    #expect(try test.ledger.lastCommit() == 2)
  }

  @Test func `gzip is undone, member after member`() async throws {
    let test = try await TestLake()
    let first = try gzip(TestLake.line(id: "a") + "\n" + TestLake.line(id: "b").prefix(50))
    let second = try gzip(TestLake.line(id: "b").dropFirst(50) + "\n")
    _ = try await test.store.put(first + second, at: ObjectKey(trusted: "raw/x.json.gz"))
    try await test.consume()
    #expect(try rows(test, "event_id, _source_line") == [["a", 1], ["b", 2]])
  }

  @Test func `ids of several lengths in one row group come back as they were`() async throws {
    // Many of one length, as many of another, and few of a third: pages of their own.
    let lengths = [(36, 27_000), (20, 27_000), (50, 200), (36, 30_000), (4, 100)]
    var expected: [[DuckDBValue]] = []
    var text = ""
    for (length, count) in lengths {
      for _ in 0..<count {
        let number = UInt64(expected.count) &* 0x9E37_79B9_7F4A_7C15
        let digits = String(number, radix: 16)
        let id = String((digits + digits + digits + digits).suffix(length))
        text += TestLake.line(id: id) + "\n"
        expected.append([.text(id)])
      }
    }
    let test = try await TestLake()
    try await test.put(text, at: "raw/x.json")
    try await test.consume()
    let isSame = try rows(test, "event_id", order: "ORDER BY _source_line") == expected
    #expect(isSame)
  }

  @Test func `zeros between members of a gzip hide nothing that follows`() async throws {
    let test = try await TestLake()
    let bytes =
      try gzip(TestLake.line(id: "a") + "\n") + [0, 0, 0] + gzip(TestLake.line(id: "b")) + [0, 0]
    _ = try await test.store.put(bytes, at: ObjectKey(trusted: "raw/x.json.gz"))
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"], ["b"]])
  }

  @Test func `a gzip bomb is parked, and its neighbours are loaded`() async throws {
    let test = try await TestLake()
    // A megabyte of blanks packs to a thousandth; 300 members of it are past what is allowed.
    let member = try gzip(String(repeating: " ", count: 1 << 20))
    let bomb = Array(repeatElement(member, count: 300).joined())
    #expect(bomb.count < 1 << 20)
    _ = try await test.store.put(bomb, at: ObjectKey(trusted: "raw/bomb.json.gz"))
    try await test.put(TestLake.line(id: "a"), at: "raw/sound.json")
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"]])
    let parked = try test.ledger.troubles().parked
    #expect(parked.map(\.key) == ["raw/bomb.json.gz"])
    #expect(parked[0].reason.contains("250 times"))
  }

  @Test func `many faulty objects void one batch, not one each`() async throws {
    let test = try await TestLake()
    let torn = Array(try gzip(TestLake.line(id: "x")).prefix(20))
    for number in 0..<30 {
      _ = try await test.store.put(torn, at: ObjectKey(trusted: "raw/\(number).json.gz"))
      try await test.put(TestLake.line(id: "\(number)"), at: "raw/\(number).json")
    }
    try await test.consume()
    // The sound ones of one batch share one commit, whatever lies between them.
    #expect(try test.ledger.lastCommit() == 1)
    #expect(try rows(test, "event_id").count == 30)
    #expect(try test.ledger.troubles().parked.count == 30)
  }

  @Test func `a number that was lost in the commits is not taken again`() async throws {
    let test = try await TestLake()
    for number in 1...3 {
      try await test.put(TestLake.line(id: "\(number)"), at: "raw/\(number).json")
      try await test.consume()
    }
    try FileManager.default.removeItem(atPath: "\(test.store.root)/commits/2.json")
    let other = try await TestLake(in: test.directory, state: test.directory.file("other"))
    await #expect {
      try await other.consume()
    } throws: { error in
      (error as? LakeError)?.code == .corruptCommit && "\(error)".contains("commits/2.json")
    }
    #expect(!test.directory.exists("lake/commits/2.json"))
  }

  @Test func `a torn gzip is parked alone, and its batch goes on without it`() async throws {
    let test = try await TestLake()
    let whole = try gzip(TestLake.line(id: "a") + "\n")
    let torn = ObjectKey(trusted: "raw/b.json.gz")
    _ = try await test.store.put(Array(whole.dropLast(9)), at: torn)
    _ = try await test.store.put(Array("no gzip".utf8), at: ObjectKey(trusted: "raw/c.json.gz"))
    try await test.put(TestLake.line(id: "z"), at: "raw/z.json")
    try await test.consume()
    #expect(try rows(test, "event_id") == [["z"]])
    let parked = try test.ledger.troubles().parked
    #expect(parked.map(\.key) == ["raw/b.json.gz", "raw/c.json.gz"])
    #expect(
      parked.map(\.reason) == [
        "ends in the middle of its gzip data", "is not valid gzip",
      ])
    // Mended, it is taken.
    try await test.store.replace(whole, at: torn)
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"], ["z"]])
    #expect(try test.ledger.troubles().parked.map(\.key) == ["raw/c.json.gz"])
  }

  @Test func `an object that vanishes is tried again, then parked`() async throws {
    let test = try await TestLake()
    let key = ObjectKey(trusted: "raw/gone.json")
    // It was listed once and could not be read; since then nobody has seen it.
    _ = try test.ledger.recordTry(key, stage: "bronze", reason: "vanished before it was read")
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"]])
    let parked = try test.ledger.troubles().parked
    #expect(parked.map(\.key) == ["raw/gone.json"])
    #expect(parked.map(\.reason) == ["vanished before it was read"])
    // Back again, it is taken.
    try await test.put(TestLake.line(id: "g"), at: key.text)
    try await test.consume()
    #expect(try test.ledger.troubles().parked.isEmpty)
    #expect(try rows(test, "event_id") == [["a"], ["g"]])
  }

  @Test func `an object that changes after it was consumed is never consumed again`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/x.json")
    try await test.consume()
    try test.directory.write(TestLake.line(id: "other"), to: "lake/raw/x.json")
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"]])
    #expect(try test.ledger.troubles().changed.map(\.key) == ["raw/x.json"])
    // Restored, whatever its time, it is no trouble any more.
    try test.directory.write(TestLake.line(id: "a"), to: "lake/raw/x.json")
    try await test.consume()
    #expect(try test.ledger.troubles().changed.isEmpty)
    #expect(try rows(test, "event_id") == [["a"]])
  }

  @Test func `a lake that was copied without its times has not changed`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/x.json")
    try await test.consume()
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)],
      ofItemAtPath: test.directory.file("lake/raw/x.json"))
    try await test.consume()
    #expect(try test.ledger.troubles().changed.isEmpty)
    #expect(try test.ledger.lastCommit() == 1)
  }

  @Test func `a parked object that a person removes is no trouble any more`() async throws {
    let test = try await TestLake()
    let key = ObjectKey(trusted: "raw/b.json.gz")
    _ = try await test.store.put(Array("no gzip".utf8), at: key)
    try await test.consume()
    #expect(try test.ledger.troubles().parked.count == 1)
    try await test.store.delete(key)
    try await test.consume()
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test func `a file that is being copied in is left until it rests`() async throws {
    let test = try await TestLake(settleTime: .milliseconds(400))
    try test.directory.write(TestLake.line(id: "a").prefix(40).description, to: "lake/raw/x.json")
    let handle = try #require(FileHandle(forWritingAtPath: test.directory.file("lake/raw/x.json")))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(TestLake.line(id: "a").dropFirst(40).utf8))
    try handle.close()
    try await test.consume()
    #expect(try rows(test, "event_id") == [["a"]])
    #expect(try test.ledger.totals()["raw.lines"] == 1)
  }

  @Test func `files that are no raw objects are counted and left`() async throws {
    let test = try await TestLake()
    try test.directory.write("a,b", to: "lake/raw/notes.csv")
    try test.directory.write("x", to: "lake/raw/deep/x.json.part")
    try await test.put(TestLake.line(id: "a"), at: "raw/any name é.json")
    try await test.consume()
    #expect(try test.ledger.gauge("raw.ignored", as: Int.self) == 2)
    #expect(try rows(test, "event_id, _source_object") == [["a", "raw/any name é.json"]])
  }

  @Test func `two hosts with ledgers of their own share a lake`() async throws {
    let directory = try TemporaryDirectory()
    let one = try await TestLake(in: directory, state: directory.file("one"))
    let two = try await TestLake(in: directory, state: directory.file("two"))
    for number in 0..<200 {
      try await one.put(TestLake.line(id: "e\(number)"), at: "raw/\(number).json")
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await one.consume() }
      group.addTask { try await two.consume() }
      try await group.waitForAll()
    }
    try await one.consume()
    #expect(try rows(one, "count(DISTINCT event_id), count(*)", order: "") == [[200, 200]])
    try await two.ledger.catchUp(with: two.lake)
    #expect(try one.ledger.totals() == two.ledger.totals())
  }

  @Test func `what a killed process committed is published by the next`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/x.json")
    try await test.consume()
    // As if the kill had come right after the commit: the file is still in tmp.
    let made = try commit(test, 1)
    let file = try #require(made.bronze.first)
    let work = "\(test.store.root)/tmp/\(made.batch)/\(file.key)"
    try FileManager.default.createDirectory(
      atPath: (work as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: "\(test.store.root)/\(file.key)", toPath: work)
    let fresh = try await TestLake(in: test.directory, state: test.directory.file("fresh"))
    try await fresh.consume()
    #expect(try rows(fresh, "event_id") == [["a"]])
    #expect(!fresh.directory.exists("lake/tmp/\(made.batch)"))
  }

  @Test func `a committed file that is lost is parked, and loud`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/x.json")
    try await test.consume()
    let file = try #require(try commit(test, 1).bronze.first)
    try FileManager.default.removeItem(atPath: "\(test.store.root)/\(file.key)")
    let fresh = try await TestLake(in: test.directory, state: test.directory.file("fresh"))
    try await fresh.consume()
    let troubles = try fresh.ledger.troubles()
    #expect(troubles.parked.map(\.key) == [file.key.text])
  }

  @Test func `many days go to many files within one batch`() async throws {
    let test = try await TestLake()
    var text = ""
    for number in 0..<2000 {
      let day = UTCDay.dayString(20_000 + Int32(number % 300))
      text += TestLake.line(id: "e\(number)", ts: "\(day)T00:00:00Z") + "\n"
    }
    try await test.put(text, at: "raw/x.json")
    try await test.consume()
    #expect(
      try rows(
        test,
        """
        count(*), count(DISTINCT dt),
        count(*) FILTER (CAST(dt AS DATE) <> CAST(ts AT TIME ZONE 'UTC' AS DATE))
        """, order: "") == [[2000, 300, 0]])
    #expect(try commit(test, 1).bronze.map(\.rows).reduce(0, +) == 2000)
  }

  @Test func `commits name the very bytes that were published`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a") + "\nbad\n", at: "raw/x.json")
    try await test.consume()
    let made = try commit(test, 1)
    for file in made.files {
      let bytes = try await test.store.read(file.key)
      #expect(Int64(bytes.count) == file.size)
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["sha256sum", "\(test.store.root)/\(file.key)"]
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(output.hasPrefix(file.sha256))
    }
  }
}
