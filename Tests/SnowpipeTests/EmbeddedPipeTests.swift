import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import SnowpipeREST
import Synchronization
import TestSupport
import Testing
import Warehouse

@Suite struct EmbeddedPipeTests {
  /// A clock that tests set ahead.
  private final class Clock: Sendable {
    private let ahead = Mutex<TimeInterval>(0)
    var now: Date { Date().addingTimeInterval(ahead.withLock { $0 }) }
    func advance(_ seconds: TimeInterval) { ahead.withLock { $0 += seconds } }
  }

  private func pipe(_ test: TestLake, user: String = "LOADER", _ clock: Clock = Clock())
    -> EmbeddedPipe
  {
    EmbeddedPipe(lake: test.lake, ledger: test.ledger, user: user) { clock.now }
  }

  /// A lake with one bronze file a day, not loaded; the files' paths in the stage.
  private func lake(days: Int = 3) async throws -> (TestLake, [String]) {
    let test = try await TestLake()
    for day in 1...days {
      try await test.put(
        TestLake.line(id: "e\(day)", ts: "2026-11-0\(day)T12:00:00Z"), at: "raw/\(day).json")
      try await test.consume()
    }
    return (test, try test.ledger.publishedFiles().map { EmbeddedPipe.path(of: $0.key) })
  }

  private func insert(
    _ paths: [String], into pipe: EmbeddedPipe, request: String = UUID().uuidString
  ) async throws -> [String] {
    try await pipe.insertFiles(
      paths.map { StagedFile(path: $0) }, requestID: request, showSkipped: true
    ).skippedFiles ?? []
  }

  private func loadQueue(_ test: TestLake) async throws {
    // What was queued in this very millisecond is left for the next look: until the clock shows
    // another, there is nothing to load.
    func milliseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
    let queued = milliseconds()
    while milliseconds() <= queued { await Task.yield() }
    while try await !test.pipe.loadSome(.queue) {}
  }

  private func refusal(_ body: () async throws -> Void) async -> PipeRefusal? {
    do {
      try await body()
      return nil
    } catch {
      return error as? PipeRefusal
    }
  }

  private func history(
    _ test: TestLake, _ columns: String, by order: String = "LAST_LOAD_TIME, FILE_NAME"
  ) async throws -> [[DuckDBValue]] {
    try await test.warehouse.withConnection {
      try $0.query("SELECT \(columns) FROM retail.raw.copy_history ORDER BY \(order)")
    }
  }

  @Test func `only files that were named are loaded, once`() async throws {
    let (test, paths) = try await lake()
    let pipe = pipe(test)
    #expect(try await insert([paths[1]], into: pipe) == [])
    #expect(try await insert([paths[1], paths[2]], into: pipe) == [paths[1]])
    try await loadQueue(test)
    #expect(try await history(test, "FILE_NAME") == [[.text(paths[1])], [.text(paths[2])]])
    #expect(try await insert(paths, into: pipe) == [paths[1], paths[2]])
    try await loadQueue(test)
    #expect(try await history(test, "FILE_NAME").count == 3)
    #expect(try test.ledger.pipeBacklog().pending == 0)
  }

  @Test func `the same request again is the same request, another user's is not`() async throws {
    let (test, paths) = try await lake()
    #expect(try await insert([paths[0]], into: pipe(test), request: "r") == [])
    #expect(try await insert([paths[1]], into: pipe(test), request: "r") == [paths[1]])
    #expect(try test.ledger.pipeBacklog().queued == 1)
    #expect(try await insert([paths[1]], into: pipe(test, user: "EVE"), request: "r") == [])
    #expect(try test.ledger.pipeBacklog().queued == 2)
  }

  @Test(arguments: [
    "", "/dt=2026-11-01/x.parquet", "../raw/1.json", "dt=2026-11-01/../../raw/1.json", "a//b",
    "./a",
    "s3://bucket/x.parquet", "file:///etc/passwd", "a\nb", "a\u{0}b",
    String(repeating: "ä", count: 513),
  ])
  func `a path that leads out of the stage has the whole request refused`(_ path: String)
    async throws
  {
    let (test, paths) = try await lake(days: 1)
    let refusal = await refusal { _ = try await insert(paths + [path], into: pipe(test)) }
    #expect(refusal?.status == 400)
    #expect(refusal?.code == "390400")
    #expect(try test.ledger.pipeBacklog().queued == 0)
  }

  @Test func `5 000 files are taken, 5 001 and none are not`() async throws {
    let (test, _) = try await lake(days: 1)
    let pipe = pipe(test)
    func paths(_ count: Int) -> [String] { (0..<count).map { "dt=2026-11-01/\($0).parquet" } }
    #expect(await refusal { _ = try await insert(paths(5001), into: pipe) }?.status == 400)
    #expect(await refusal { _ = try await insert([], into: pipe) }?.status == 400)
    #expect(try test.ledger.pipeBacklog().queued == 0)
    #expect(try await insert(paths(5000), into: pipe) == [])
    #expect(try test.ledger.pipeBacklog().queued == 5000)
  }

  @Test func `a file that is in no commit fails, and the others are loaded`() async throws {
    let (test, paths) = try await lake()
    let pipe = pipe(test)
    _ = try await insert(["dt=2026-11-01/none.parquet", paths[0]], into: pipe)
    try await loadQueue(test)
    let report = try await pipe.insertReport(beginMark: nil, recentSeconds: nil)
    let failed = try #require(report.files.first { $0.path == "dt=2026-11-01/none.parquet" })
    #expect(failed.status == .failed)
    #expect(failed.complete)
    #expect(failed.systemError?.contains("no commit") == true)
    #expect(failed.rowsInserted == 0)
    #expect(report.files.first { $0.path == paths[0] }?.status == .loaded)
    #expect(report.statistics?.activeFilesCount == 0)
    #expect(
      try await history(test, "STATUS, ROW_COUNT, ERROR_COUNT", by: "STATUS")
        == [["Load failed", 0, 1], ["Loaded", 1, 0]])
  }

  @Test func `the report goes on from its mark, and forgets after ten minutes`() async throws {
    let (test, paths) = try await lake()
    let clock = Clock()
    let pipe = pipe(test, clock)
    let empty = try await pipe.insertReport(beginMark: nil, recentSeconds: nil)
    #expect(empty.nextBeginMark == "1_0")
    #expect(empty.files.isEmpty && empty.completeResult)
    _ = try await insert([paths[0]], into: pipe)
    try await loadQueue(test)
    let first = try await pipe.insertReport(beginMark: "1_0", recentSeconds: nil)
    #expect(first.files.map(\.path) == [paths[0]])
    #expect(first.nextBeginMark == "1_1")
    #expect(first.pipe == "RETAIL.RAW.RETAIL_BRONZE_PIPE")
    _ = try await insert([paths[1]], into: pipe)
    try await loadQueue(test)
    let second = try await pipe.insertReport(beginMark: first.nextBeginMark, recentSeconds: nil)
    #expect(second.files.map(\.path) == [paths[1]])
    #expect(second.completeResult)
    // A mark that is none is no mark.
    for mark in ["", "x", "1_", "1_-1", "2_0", "1_99999999999999999999"] {
      let report = try await pipe.insertReport(beginMark: mark, recentSeconds: nil)
      #expect(report.files.map(\.path) == [paths[0], paths[1]])
    }
    clock.advance(601)
    let late = try await pipe.insertReport(beginMark: "1_1", recentSeconds: nil)
    #expect(late.files.isEmpty)
    #expect(!late.completeResult, "an event was missed since the mark")
    #expect(try await pipe.insertReport(beginMark: "1_2", recentSeconds: nil).completeResult)
  }

  @Test func `a report and a scan hold 10 000 files, and a scan goes on where it ended`()
    async throws
  {
    let test = try await TestLake()
    let start = Date()
    let begin = Int64(start.timeIntervalSince1970 * 1000)
    // 8 000 files of one moment, 4 001 of the next.
    try test.ledger.restoreEvents(
      (0..<12_001).map {
        Ledger.LoadedFile(
          key: "bronze/\($0).parquet", size: 1, rows: 1, received: begin,
          at: begin + ($0 < 8000 ? 0 : 1))
      })
    let pipe = pipe(test)
    let report = try await pipe.insertReport(beginMark: nil, recentSeconds: nil)
    #expect(report.files.count == 10_000)
    #expect(report.files.last?.path == "12000.parquet")
    #expect(!report.completeResult)
    var paths: [String] = []
    var pages = 0
    for try await page in ReportFollower(pipe).history(
      from: start.addingTimeInterval(-1), until: start.addingTimeInterval(10))
    {
      #expect(page.files.count <= 10_000)
      paths += page.files.map(\.path)
      pages += 1
    }
    #expect(pages == 2)
    #expect(paths == (0..<12_001).map { "\($0).parquet" })
  }

  @Test func `a scan takes its start in, and leaves its end out`() async throws {
    let (test, paths) = try await lake(days: 1)
    let pipe = pipe(test)
    _ = try await insert(paths, into: pipe)
    try await loadQueue(test)
    let report = try await pipe.insertReport(beginMark: nil, recentSeconds: nil)
    let file = try #require(report.files.first)
    let text = try #require(file.lastInsertTime)
    let at = try #require(Instants.date(text))
    #expect(Instants.text(at.addingTimeInterval(0.0001)) == text)
    func count(_ from: Date, _ until: Date?) async throws -> Int {
      try await pipe.loadHistoryScan(from: from, until: until).files.count
    }
    #expect(try await count(at, nil) == 1)
    #expect(try await count(at, at.addingTimeInterval(0.001)) == 1)
    #expect(try await count(at.addingTimeInterval(-1), at) == 0)
    #expect(try await count(at.addingTimeInterval(0.001), nil) == 0)
    #expect(await refusal { _ = try await count(at, at - 1) }?.status == 400)
    #expect(file.fileSize == (try test.ledger.publishedFiles().first?.size))
    #expect(file.rowsInserted == 1 && file.rowsParsed == 1 && file.errorsSeen == 0)
    #expect(file.stageLocation == test.store.location + "/bronze/")
  }

  @Test func `refresh queues what has a prefix, is younger, and was not loaded`() async throws {
    let (test, paths) = try await lake()
    let pipe = pipe(test)
    _ = try await insert([paths[0]], into: pipe)
    try await loadQueue(test)
    #expect(try await pipe.refresh(prefix: "dt=2026-11-02/", modifiedAfter: nil) == [paths[1]])
    #expect(try await pipe.refresh(prefix: "dt=2026-11-02/", modifiedAfter: nil) == [])
    #expect(try await pipe.refresh(prefix: "%", modifiedAfter: nil) == [])
    #expect(
      try await pipe.refresh(prefix: nil, modifiedAfter: Date().addingTimeInterval(60)) == [])
    #expect(
      try await pipe.refresh(prefix: nil, modifiedAfter: Date().addingTimeInterval(-60))
        == [paths[2]])
    try await loadQueue(test)
    #expect(try await history(test, "FILE_NAME").count == 3)
    #expect(try await pipe.refresh(prefix: nil, modifiedAfter: nil) == [])
  }

  @Test func `a paused pipe takes files and loads none`() async throws {
    let (test, paths) = try await lake()
    let pipe = pipe(test)
    try await pipe.setPaused(true)
    _ = try await insert([paths[0]], into: pipe)
    await #expect(throws: PipeError.self) { try await test.pipe.runOnce() }
    var status = try await pipe.status()
    #expect(status.executionState == "PAUSED")
    #expect(status.pendingFileCount == 3)
    #expect(status.oldestPendingFilePath == paths[0])
    #expect(status.oldestFileTimestamp != nil && status.lastIngestedFilePath == nil)
    try await pipe.setPaused(false)
    try await test.pipe.runOnce()
    status = try await pipe.status()
    #expect(status.executionState == "RUNNING")
    #expect(status.pendingFileCount == 0)
    #expect(status.oldestFileTimestamp == nil && status.oldestPendingFilePath == nil)
    #expect(status.lastIngestedFilePath == paths[2])
  }

  @Test func `a broken file is told of once, with the form of Snowpipe`() async throws {
    let (test, paths) = try await lake()
    let key = ObjectKey(trusted: "bronze/" + paths[0])
    let whole = try await test.store.read(key)
    try await test.store.replace(Array(whole.dropLast()), at: key)
    let path = test.directory.file("errors.ndjson")
    let stage = PipeStage(
      lake: test.lake, ledger: test.ledger, warehouse: test.warehouse, contract: test.contract,
      logger: test.logger, notifier: try ErrorNotifier(path))
    try await stage.runOnce()
    try await stage.runOnce()
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
    #expect(object["messageType"] as? String == "INGEST_FAILED_FILE")
    #expect(object["version"] as? String == "1.0")
    #expect(object["pipeName"] as? String == "RETAIL.RAW.RETAIL_BRONZE_PIPE")
    #expect(object["tableName"] as? String == "RETAIL.RAW.RAW_PURCHASES_STAGING")
    #expect(object["stageLocation"] as? String == test.store.location + "/bronze/")
    #expect(Instants.date(object["timestamp"] as? String ?? "") != nil)
    let messages = try #require(object["messages"] as? [[String: String]])
    #expect(
      messages == [["fileName": paths[0], "firstError": "is not what commit 1 made"]])
    #expect(
      Set(object.keys) == [
        "version", "messageId", "messageType", "timestamp", "accountName", "pipeName", "tableName",
        "stageLocation", "messages",
      ])
    #expect(
      try await history(test, "FILE_NAME, STATUS, FIRST_ERROR_MESSAGE").filter {
        $0[1] == "Load failed"
      } == [[.text(paths[0]), "Load failed", "is not what commit 1 made"]])
    #expect(try await pipe(test).status().error?.contains(paths[0]) == true)
    // Mended, and asked for again: it is loaded, and both stand in the history.
    try await test.store.replace(whole, at: key)
    #expect(try await insert([paths[0]], into: pipe(test)) == [])
    try await loadQueue(test)
    #expect(
      try await history(test, "STATUS, FILE_NAME").filter { $0[1] == .text(paths[0]) }.map(\.[0])
        == ["Load failed", "Loaded"])
    #expect(try await pipe(test).status().error == nil)
  }

  @Test func `a notification that cannot be delivered waits, and holds up no load`() async throws {
    let (test, paths) = try await lake()
    try await test.store.delete(ObjectKey(trusted: "bronze/" + paths[0]))
    let place = test.directory.file("not/yet/errors.ndjson")
    func stage() throws -> PipeStage {
      PipeStage(
        lake: test.lake, ledger: test.ledger, warehouse: test.warehouse, contract: test.contract,
        logger: test.logger, notifier: try ErrorNotifier(place))
    }
    try await stage().runOnce()
    #expect(try await history(test, "FILE_NAME").count == 3)
    #expect(try test.ledger.pipeNotifications().count == 1)
    try FileManager.default.createDirectory(
      atPath: test.directory.file("not/yet"), withIntermediateDirectories: true)
    try await stage().runOnce()
    #expect(try test.ledger.pipeNotifications().isEmpty)
    #expect(FileManager.default.fileExists(atPath: place))
  }

  @Test func `a ledger that is made anew has the loads of before, with their times`() async throws {
    let (test, paths) = try await lake()
    try await test.pipe.runOnce()
    let before = try await pipe(test).insertReport(beginMark: nil, recentSeconds: nil).files
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: test.ledger.path + suffix)
    }
    let again = try await TestLake(in: test.directory)
    try await again.pipe.runOnce()
    let after = try await pipe(again).insertReport(beginMark: nil, recentSeconds: nil).files
    #expect(after.map(\.path) == before.map(\.path) && after.count == paths.count)
    #expect(after == before)
  }

  @Test func `the view has the columns of COPY_HISTORY`() async throws {
    let (test, _) = try await lake(days: 1)
    try await test.pipe.runOnce()
    let columns = try await test.warehouse.withConnection {
      try $0.query("SELECT column_name FROM (DESCRIBE retail.raw.copy_history)")
    }.compactMap { $0[0].text }
    #expect(
      columns == [
        "FILE_NAME", "STAGE_LOCATION", "LAST_LOAD_TIME", "ROW_COUNT", "ROW_PARSED", "FILE_SIZE",
        "FIRST_ERROR_MESSAGE", "FIRST_ERROR_LINE_NUMBER", "FIRST_ERROR_CHARACTER_POS",
        "FIRST_ERROR_COLUMN_NAME", "ERROR_COUNT", "ERROR_LIMIT", "STATUS", "TABLE_CATALOG_NAME",
        "TABLE_SCHEMA_NAME", "TABLE_NAME", "PIPE_CATALOG_NAME", "PIPE_SCHEMA_NAME", "PIPE_NAME",
        "PIPE_RECEIVED_TIME",
      ])
  }

  @Test func `what was loaded by whatever way stands in the report`() async throws {
    let (test, paths) = try await lake()
    try await test.pipe.runOnce()
    let report = try await pipe(test).insertReport(beginMark: nil, recentSeconds: nil)
    #expect(report.files.map(\.path) == paths)
  }
}
