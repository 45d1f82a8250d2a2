import AsyncHTTPClient
import Flow
import Foundation
import Hummingbird
import KeyPair
import Lake
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Server
import Snowpipe
import SnowpipeREST
import Synchronization
import TestSupport
import Testing

/// The client and the endpoint, over a socket.
@Suite(.timeLimit(.minutes(5))) struct SnowpipeEndpointTests {
  private static let key = Result { try PrivateKey.generate() }

  private func key() throws -> PrivateKey { try Self.key.get() }

  /// Runs `body` against a server of its own, on a free port.
  private func withServer(
    _ test: TestLake, options: HTTPServer.Options = HTTPServer.Options(),
    _ body: @escaping @Sendable (_ url: String, _ http: HTTPClient) async throws -> Void
  ) async throws {
    let path = test.directory.file("users.yaml")
    if !FileManager.default.fileExists(atPath: path) {
      _ = try UserDirectory.add(
        try key().publicKey, of: Principal(account: "local", user: "loader"), to: path)
    }
    let router = Router()
    SnowpipeEndpoint(
      lake: test.lake, ledger: test.ledger, users: try Users(path: path, logger: test.logger),
      queued: Signal(), logger: test.logger
    ).addRoutes(to: router)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    var options = options
    options.port = 0
    let server = HTTPServer(options: options, router: router, logger: test.logger) {
      listening.yield($0)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await server.run() } catch is CancellationError {}
      }
      var first: Int?
      for await port in ports {
        first = port
        break
      }
      let port = try #require(first)
      try await SnowpipeClient.withHTTPClient { try await body("http://127.0.0.1:\(port)", $0) }
      group.cancelAll()
    }
  }

  private func client(
    _ url: String, _ http: HTTPClient, account: String = "local", user: String = "loader",
    pipe: String = PipeStage.name, key: PrivateKey? = nil, clockOff: TimeInterval = 0
  ) throws -> SnowpipeClient {
    let now: @Sendable () -> Date = { Date().addingTimeInterval(clockOff) }
    return SnowpipeClient(
      endpoint: try Endpoint(url: url), pipe: try #require(PipeName(pipe)),
      tokens: TokenIssuer(
        principal: Principal(account: account, user: user), key: try key ?? self.key(), now: now),
      http: http, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: now,
      pause: { _ in })
  }

  private func refusal(_ body: () async throws -> Void) async -> PipeRefusal? {
    do {
      try await body()
      return nil
    } catch {
      return error as? PipeRefusal
    }
  }

  @Test func `a client names files, and follows them until they are loaded`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    let path = EmbeddedPipe.path(of: try #require(try test.ledger.publishedFiles().first).key)
    try await withServer(test) { url, http in
      let client = try client(url, http)
      let answer = try await client.insertFiles(
        [StagedFile(path: path, size: 1)], requestID: "r-1", showSkipped: true)
      #expect(answer.requestId == "r-1")
      #expect(answer.responseCode == "SUCCESS" && answer.status == "success")
      #expect(answer.skippedFiles == [])
      #expect(try await client.status().pendingFileCount == 1)
      // The file is loaded between the second look and the third.
      let looks = Mutex(0)
      let follower = ReportFollower(
        client,
        pause: { _ in
          let look = looks.withLock { looks in
            looks += 1
            return looks
          }
          if look == 2 { while try await !test.pipe.loadSome(.queue) {} }
        })
      let reports = try await follower.follow([path], since: Date().addingTimeInterval(-60))
      #expect(reports[path]?.status == .loaded)
      #expect(looks.withLock { $0 } == 2)
      let status = try await client.status()
      #expect(status.pendingFileCount == 0)
      #expect(status.lastIngestedFilePath == path)
      let history = try await client.loadHistoryScan(
        from: Date().addingTimeInterval(-600), until: nil)
      #expect(history.files.map(\.path) == [path])
    }
  }

  @Test func `statements pause the pipe, resume it and refresh it`() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    try await withServer(test) { url, http in
      let client = try client(url, http)
      try await client.setPaused(true)
      #expect(try await client.status().executionState == "PAUSED")
      #expect(try test.ledger.isPipePaused())
      try await client.setPaused(false)
      #expect(try await client.status().executionState == "RUNNING")
      #expect(try await client.refresh(prefix: "dt=1999", modifiedAfter: nil) == [])
      #expect(
        try await client.refresh(prefix: "dt=2026", modifiedAfter: Date().addingTimeInterval(-60))
          .count == 1)
    }
  }

  @Test func `an unknown pipe is 404, in whatever words, and a known one in any case`() async throws
  {
    let test = try await TestLake()
    try await withServer(test) { url, http in
      for name in ["retail.raw.other", #""retail".raw.retail_bronze_pipe"#, "a.b.c"] {
        let client = try client(url, http, pipe: name)
        let refusal = await refusal {
          _ = try await client.insertReport(beginMark: nil, recentSeconds: nil)
        }
        #expect(refusal?.status == 404)
        #expect(refusal?.code == "390404")
      }
      for name in ["RETAIL.raw.Retail_Bronze_Pipe", #""RETAIL"."RAW"."RETAIL_BRONZE_PIPE""#] {
        let client = try client(url, http, pipe: name)
        #expect(try await client.insertReport(beginMark: nil, recentSeconds: nil).files.isEmpty)
      }
    }
  }

  @Test func `a clock that is an hour off is named`() async throws {
    let test = try await TestLake()
    let began = ContinuousClock.now
    try await withServer(test) { url, http in
      for (off, word) in [(3600.0, "ahead of"), (-7200, "behind")] {
        do {
          _ = try await client(url, http, clockOff: off).insertReport(
            beginMark: nil, recentSeconds: nil)
          Issue.record("a token of another hour was accepted")
        } catch let failure as ClientError {
          #expect(failure.code == .clock)
          #expect(failure.message.contains(word))
          let seconds = failure.message.firstMatch(of: /clock is (\d+) s/).flatMap { Double($0.1) }
          // The server's clock was read at some time since it began, in whole seconds.
          let since = (ContinuousClock.now - began) / .seconds(1) + 2
          #expect(abs((seconds ?? 0) - abs(off)) < since, "\(failure)")
        }
      }
    }
  }

  @Test func `each wrong proof has its code, and a rotated key is taken at once`() async throws {
    let test = try await TestLake()
    let other = try PrivateKey.generate()
    let users = test.directory.file("users.yaml")
    try await withServer(test) { url, http in
      func code(_ client: SnowpipeClient) async -> String? {
        await refusal {
          _ = try await client.insertFiles(
            [StagedFile(path: "x")], requestID: "r", showSkipped: false)
        }?.code
      }
      #expect(await code(try client(url, http, user: "eve")) == "394300")
      #expect(await code(try client(url, http, account: "other")) == "394307")
      #expect(await code(try client(url, http, key: other)) == "394304")
      let principal = Principal(account: "local", user: "loader")
      #expect(
        try UserDirectory.add(other.publicKey, of: principal, to: users) == "rsa_public_key_2")
      #expect(await code(try client(url, http, key: other)) == nil)
      #expect(await code(try client(url, http)) == nil)
      #expect(throws: PipeError.self) {
        try UserDirectory.add(other.publicKey, of: principal, to: users)
      }
      // A file that somebody broke leaves the keys as they are.
      try Data("account: [".utf8).write(to: URL(filePath: users))
      #expect(await code(try client(url, http)) == nil)
      #expect(try test.ledger.pipeBacklog().queued == 1)
    }
  }

  @Test func `calls beyond the rate are 429 with a time to wait, for one user alone`() async throws
  {
    let test = try await TestLake()
    try await withServer(test) { url, http in
      let token = try TokenIssuer(
        principal: Principal(account: "local", user: "loader"), key: try key()
      ).token()
      var refused: HTTPClientResponse?
      for _ in 0..<100 where refused == nil {
        var request = HTTPClientRequest(
          url:
            "\(url)/v1/data/pipes/\(PipeStage.name)/loadHistoryScan?startTimeInclusive=2026-11-01T00:00:00Z"
        )
        request.headers.add(name: "Authorization", value: "bearer \(token)")
        let response = try await http.execute(request, timeout: .minutes(1))
        if response.status.code == 429 { refused = response }
      }
      let response = try #require(refused)
      #expect(response.headers.first(name: "retry-after").flatMap { Int($0) } == 1)
      let body = String(buffer: try await response.body.collect(upTo: 1 << 16))
      #expect(body.contains(#""code":"390429""#) && body.contains(#""data":null"#))
      // Other calls of that user go on.
      #expect(
        try await client(url, http).insertReport(beginMark: nil, recentSeconds: nil)
          .completeResult)
    }
  }
}

/// What the server does with clients that do not do their part.
@Suite(.timeLimit(.minutes(5))) struct HTTPServerTests {
  /// Runs `body` against a server with one route, which answers with the length of what it got.
  private func withServer(
    _ options: HTTPServer.Options, _ body: @escaping @Sendable (_ port: Int) async throws -> Void
  ) async throws {
    let router = Router()
    router.post("/length") { request, _ in
      String(try await request.body.collect(upTo: 1 << 20).readableBytes)
    }
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    var options = options
    options.port = 0
    let server = HTTPServer(
      options: options, router: router,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { listening.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await server.run() } catch is CancellationError {}
      }
      for await port in ports {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await body(port) }
        break
      }
      group.cancelAll()
    }
  }

  private static let head = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"

  @Test(arguments: ["", "POST /len", head])
  func `who falls silent is let go`(_ text: String) async throws {
    var options = HTTPServer.Options()
    options.patience = .milliseconds(300)
    try await withServer(options) { port in
      let connection = try PlainConnection(port: port)
      #expect(connection.send(text))
      #expect(connection.readToEnd() == "")
    }
  }

  @Test func `who sends a byte now and then is let go as well`() async throws {
    var options = HTTPServer.Options()
    options.patience = .milliseconds(500)
    try await withServer(options) { port in
      let connection = try PlainConnection(port: port)
      #expect(connection.send(Self.head))
      // A client that always says something: to say it all would take it half an hour.
      var said = 0
      while !connection.hasEnded(within: .milliseconds(20)), connection.send("a") { said += 1 }
      #expect(said < 100_000)
    }
  }

  @Test func `a header that is too long is refused`() async throws {
    var options = HTTPServer.Options()
    options.longestHeader = 1000
    try await withServer(options) { port in
      let connection = try PlainConnection(port: port)
      _ = connection.send(
        "POST /length HTTP/1.1\r\nX: \(String(repeating: "a", count: 2000))\r\n\r\n")
      // What was sent and not read may have the system take the refusal back.
      let answer = connection.readToEnd()
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
    }
  }

  @Test func `a request that arrives in pieces is answered`() async throws {
    try await withServer(HTTPServer.Options()) { port in
      let connection = try PlainConnection(port: port)
      func request(_ body: String) -> String {
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
      }
      // Each piece ends a request and begins the next one, in its header and in its body: the answer
      // to the one says that of the other this much was read.
      let all = request("a") + request("ab") + request("abcd")
      let inHeader = try #require(all.range(of: "Length: 2")).lowerBound
      let inBody = try #require(all.range(of: "cd", options: .backwards)).lowerBound
      #expect(connection.send(String(all[..<inHeader])))
      #expect(connection.read(upTo: "\r\n\r\n1").hasPrefix("HTTP/1.1 200 "))
      #expect(connection.send(String(all[inHeader..<inBody])))
      #expect(connection.read(upTo: "\r\n\r\n2").hasPrefix("HTTP/1.1 200 "))
      #expect(connection.send(String(all[inBody...])))
      #expect(connection.read(upTo: "\r\n\r\n4").hasPrefix("HTTP/1.1 200 "))
    }
  }
}

@Suite struct SnowpipeRESTTests {
  @Test(arguments: [
    ("retail.raw.retail_bronze_pipe", ["RETAIL", "RAW", "RETAIL_BRONZE_PIPE"]),
    (#""a.b"."c""d".e"#, ["a.b", #"c"d"#, "E"]),
  ])
  func `a pipe's name is read as SQL reads it`(_ text: String, _ parts: [String]) {
    #expect(PipeName(text)?.parts == parts)
  }

  @Test(arguments: ["", "a", "a.b", "a.b.c.d", "a..c", ".a.b", "a.b.", #"a.b."""#, #""a"b.c.d"#])
  func `what is no full name is none`(_ text: String) { #expect(PipeName(text) == nil) }

  @Test func `statements are read as they are written`() throws {
    let pipe = try #require(PipeName("retail.raw.retail_bronze_pipe"))
    let after = try #require(Instants.date("2026-11-23T10:00:00.500Z"))
    for statement in [
      PipeStatement.status, .setPaused(true), .setPaused(false),
      .refresh(prefix: nil, modifiedAfter: nil),
      .refresh(prefix: #"it's \ 'there'"#, modifiedAfter: after),
    ] {
      let read = try #require(PipeStatement.parse(statement.sql(for: pipe) + ";"))
      #expect(read.statement == statement)
      #expect(PipeName(read.pipe) == pipe)
    }
    for text in [
      "", "SELECT 1", "DROP PIPE retail.raw.retail_bronze_pipe",
      "ALTER PIPE a.b.c REFRESH; DROP TABLE x", "ALTER PIPE a.b.c REFRESH PREFIX = 'x' y",
      "ALTER PIPE a.b.c REFRESH MODIFIED_AFTER = 'yesterday'",
      "SELECT SYSTEM$PIPE_STATUS('a.b.c'), 1",
    ] {
      #expect(PipeStatement.parse(text) == nil, "\(text)")
    }
  }

  @Test(arguments: [
    ("myorg-acct", "https://myorg-acct.snowflakecomputing.com"),
    ("MyOrg-My_Acct", "https://myorg-my-acct.snowflakecomputing.com"),
    ("xy1.eu-central-1", "https://xy1.eu-central-1.snowflakecomputing.com"),
    ("xy1.snowflakecomputing.com", "https://xy1.snowflakecomputing.com"),
  ])
  func `an account may be a name or a host`(_ account: String, _ url: String) {
    #expect(Endpoint(account: account).description == url)
  }

  @Test(arguments: [
    "http://example.com", "ftp://127.0.0.1", "127.0.0.1:8080", "https://", "https://host/path",
    "https://user@host", "",
  ])
  func `an endpoint that is none, or would leak tokens, is refused`(_ url: String) {
    #expect(throws: ClientError.self) { try Endpoint(url: url) }
  }

  @Test func `answers of the service are read in both forms`() throws {
    let text = """
      {"pipe":"A.B.C","completeResult":"false","nextBeginMark":"1_39","files":[{"path":"x",\
      "stageLocation":"s3://b/","fileSize":57,"timeReceived":"2026-11-21T04:47:41.453Z",\
      "lastInsertTime":"2026-11-21T04:48:28.575Z","rowsInserted":1,"rowsParsed":1,"errorsSeen":0,\
      "errorLimit":1,"complete":true,"status":"LOADED","new":[1]}],"statistics":{"activeFilesCount":0}}
      """
    let report = try JSONDecoder().decode(InsertReport.self, from: Data(text.utf8))
    #expect(!report.completeResult && report.files.first?.status == .loaded)
    let plain = text.replacing(#""false""#, with: "true")
    #expect(try JSONDecoder().decode(InsertReport.self, from: Data(plain.utf8)).completeResult)
  }

  @Test func `a refusal has the members that clients look for`() throws {
    let data = try JSONEncoder().encode(RefusalBody(PipeRefusal(404, "no")))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(object.keys) == ["data", "code", "message", "success", "headers"])
    #expect(object["code"] as? String == "390404" && object["success"] as? Bool == false)
    #expect(object["data"] is NSNull && object["headers"] is NSNull)
  }

  /// A service that tells what it is scripted to: a report with gaps takes 10 000 loads in ten
  /// minutes, or a client that slept.
  private final class Script: PipeService {
    private let reports: Mutex<[InsertReport]>
    let scans = Mutex<[Date]>([])
    let old: [FileReport]

    init(_ reports: [InsertReport], old: [FileReport]) {
      self.reports = Mutex(reports)
      self.old = old
    }

    func insertReport(beginMark: String?, recentSeconds: Int?) async throws -> InsertReport {
      try reports.withLock { try #require($0.isEmpty ? nil : $0.removeFirst()) }
    }
    func loadHistoryScan(from start: Date, until end: Date?) async throws -> LoadHistory {
      let count = scans.withLock { scans in
        scans.append(start)
        return scans.count
      }
      return LoadHistory(
        pipe: "P", completeResult: true, startTimeInclusive: "", endTimeExclusive: "",
        rangeStartTime: "", rangeEndTime: "", files: count > 1 ? old : [])
    }
    func insertFiles(
      _ files: [StagedFile], requestID: String, showSkipped: Bool
    ) async throws -> InsertFilesResponse { InsertFilesResponse(requestID: requestID) }
    func status() async throws -> PipeStatus { PipeStatus(executionState: "RUNNING") }
    func refresh(prefix: String?, modifiedAfter: Date?) async throws -> [String] { [] }
    func setPaused(_ isPaused: Bool) async throws {}
  }

  @Test func `where the report has gaps, the history fills them`() async throws {
    func report(_ mark: Int, _ files: [String], isComplete: Bool = true) -> InsertReport {
      InsertReport(
        pipe: "P", completeResult: isComplete, nextBeginMark: "1_\(mark)",
        files: files.map { FileReport(path: $0, status: .loaded) }, activeFilesCount: 0)
    }
    let script = Script(
      [report(1, []), report(2, ["a"]), report(9, [], isComplete: false)],
      old: [FileReport(path: "b", status: .failed), FileReport(path: "z", status: .loaded)])
    let reports = try await ReportFollower(script, pause: { _ in }).follow(
      ["a", "b"], since: Date())
    #expect(reports.mapValues(\.status) == ["a": .loaded, "b": .failed])
    #expect(script.scans.withLock { $0.count } == 2, "once at the start, and once for the gap")
  }

  @Test func `following ends at its limit with what is known`() async throws {
    let script = Script(
      (0..<50).map {
        InsertReport(
          pipe: "P", completeResult: true, nextBeginMark: "1_\($0)", files: [], activeFilesCount: 1)
      }, old: [])
    let reports = try await ReportFollower(script, pause: { _ in }).follow(
      ["a"], since: Date(), limit: .seconds(30))
    #expect(reports.isEmpty)
  }
}
