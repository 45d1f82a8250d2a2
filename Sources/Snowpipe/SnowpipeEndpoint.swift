public import Flow
public import Foundation
import HTTPTypes
public import Hummingbird
import KeyPair
public import Lake
public import Ledger
public import Logging
import NIOCore
import SnowpipeREST

/// Answers Snowpipe's REST calls for the embedded pipe, to users who prove their key.
///
/// A refusal tells nothing of pipes, files or other users.
public struct SnowpipeEndpoint: Sendable {
  /// The body of a request, in bytes: 5 000 paths of 1 024 bytes fit, and some escapes.
  static let longestBody = 8 << 20

  private enum Call: String, Hashable {
    case insertFiles, insertReport, loadHistoryScan, statements

    /// Generous to whoever follows a load, and a hindrance to whoever reads all of history each
    /// second.
    var limit: RateLimit {
      switch self {
      case .insertFiles: RateLimit(burst: 200, perSecond: 50)
      case .insertReport: RateLimit(burst: 60, perSecond: 10)
      case .loadHistoryScan: RateLimit(burst: 20, perSecond: 1)
      case .statements: RateLimit(burst: 20, perSecond: 5)
      }
    }
  }

  private struct Caller: Hashable {
    let user: String
    let call: Call
  }

  private let lake: Lake
  private let ledger: Ledger
  private let users: Users
  private let queued: Signal
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let limiter = RateLimiter<Caller>()

  /// - Parameter queued: raised when files were queued.
  public init(
    lake: Lake, ledger: Ledger, users: Users, queued: Signal, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.users = users
    self.queued = queued
    self.logger = logger
    self.now = now
  }

  public func addRoutes(to router: Router<BasicRequestContext>) {
    router.post("/v1/data/pipes/:pipe/insertFiles") { request, context in
      await answer(.insertFiles, request) { pipe in
        try named(context)
        return try await insertFiles(request, pipe)
      }
    }
    router.get("/v1/data/pipes/:pipe/insertReport") { request, context in
      await answer(.insertReport, request) { pipe in
        try named(context)
        let query = request.uri.queryParameters
        return try Self.json(
          try await pipe.insertReport(
            beginMark: query["beginMark"].map(String.init),
            recentSeconds: query["recentSeconds"].flatMap { Int($0) }))
      }
    }
    router.get("/v1/data/pipes/:pipe/loadHistoryScan") { request, context in
      await answer(.loadHistoryScan, request) { pipe in
        try named(context)
        let query = request.uri.queryParameters
        guard let start = query["startTimeInclusive"] else {
          throw PipeRefusal(400, "startTimeInclusive is missing")
        }
        return try Self.json(
          try await pipe.loadHistoryScan(
            from: try Self.instant(start, "startTimeInclusive"),
            until: try query["endTimeExclusive"].map { try Self.instant($0, "endTimeExclusive") }))
      }
    }
    router.post("/api/v2/statements") { request, _ in
      await answer(.statements, request) { try await run(request, $0) }
    }
  }

  // MARK: - calls

  private func insertFiles(_ request: Request, _ pipe: EmbeddedPipe) async throws -> Response {
    let type = request.headers[.contentType]?.split(separator: ";").first
      .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    guard type == "application/json" || type == "text/plain" else {
      throw PipeRefusal(415, "Content-Type must be application/json or text/plain")
    }
    let body = try await Self.body(request)
    let files: [StagedFile]
    if type == "text/plain" {
      guard let text = String(validating: body, as: UTF8.self) else {
        throw PipeRefusal(400, "the body is not UTF-8")
      }
      files = text.split(whereSeparator: \.isNewline).map { StagedFile(path: String($0)) }
    } else {
      guard let decoded = try? JSONDecoder().decode(InsertFilesRequest.self, from: body) else {
        throw PipeRefusal(400, #"the body is not JSON of the form {"files":[{"path":"…"}]}"#)
      }
      files = decoded.files
    }
    let query = request.uri.queryParameters
    let requestID = query["requestId"].map(String.init)
    guard (requestID?.utf8.count ?? 0) <= 256 else {
      throw PipeRefusal(400, "requestId is longer than 256 bytes")
    }
    var response = try await pipe.insertFiles(
      files, requestID: requestID ?? UUID().uuidString.lowercased(),
      showSkipped: query["showSkippedFiles"]?.lowercased() == "true")
    response.requestId = requestID
    logger.info(
      "files queued", metadata: ["files": "\(files.count)", "request": "\(requestID ?? "none")"])
    return try Self.json(response)
  }

  /// The few statements for which Snowpipe has no call.
  private func run(_ request: Request, _ pipe: EmbeddedPipe) async throws -> Response {
    guard
      let decoded = try? JSONDecoder().decode(
        StatementRequest.self, from: try await Self.body(request))
    else { throw PipeRefusal(400, #"the body is not JSON of the form {"statement":"…"}"#) }
    guard let (name, statement) = PipeStatement.parse(decoded.statement) else {
      throw PipeRefusal(
        422,
        "only SELECT SYSTEM$PIPE_STATUS, ALTER PIPE … REFRESH and ALTER PIPE … SET PIPE_EXECUTION_PAUSED are known here",
        code: "001003")
    }
    guard PipeName(name) == EmbeddedPipe.name else {
      throw PipeRefusal(422, "the pipe does not exist or you have no right to it", code: "002003")
    }
    switch statement {
    case .status:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let status = String(decoding: try encoder.encode(try await pipe.status()), as: UTF8.self)
      return try Self.json(StatementResult(columns: ["SYSTEM$PIPE_STATUS"], rows: [[status]]))
    case .refresh(let prefix, let modifiedAfter):
      let files = try await pipe.refresh(prefix: prefix, modifiedAfter: modifiedAfter)
      return try Self.json(
        StatementResult(columns: ["File", "Status"], rows: files.map { [$0, "SENT"] }))
    case .setPaused(let isPaused):
      try await pipe.setPaused(isPaused)
      return try Self.json(
        StatementResult(columns: ["status"], rows: [["Statement executed successfully."]]))
    }
  }

  // MARK: - around each call

  /// Lets a user in, and turns whatever goes wrong into the documented answer.
  private func answer(
    _ call: Call, _ request: Request, _ body: (EmbeddedPipe) async throws -> Response
  ) async -> Response {
    do {
      let principal = try authenticate(request)
      if let seconds = limiter.take(
        Caller(user: principal.user, call: call), call.limit, now: now())
      {
        var refusal = PipeRefusal(429, "too many requests: try again later")
        refusal.retryAfterSeconds = Int(seconds.rounded(.up))
        throw refusal
      }
      return try await body(
        EmbeddedPipe(
          lake: lake, ledger: ledger, queued: queued, user: principal.user, now: now))
    } catch let refusal as PipeRefusal {
      logger.debug(
        "refused", metadata: ["call": "\(call)", "status": "\(refusal.status)"])
      return Self.response(refusal)
    } catch let refusal as TokenRefusal {
      logger.info(
        "token refused",
        metadata: [
          "call": "\(call)", "code": "\(refusal.code.rawValue)", "reason": "\(refusal.reason)",
        ])
      return Self.response(
        PipeRefusal(401, "JWT token is invalid.", code: refusal.code.rawValue))
    } catch {
      let isOutage = (error as? any OutageError)?.isOutage ?? false
      logger.error("not answered", metadata: ["call": "\(call)", "reason": "\(error)"])
      return Self.response(
        isOutage
          ? PipeRefusal(503, "the pipe cannot record anything now: try again later")
          : PipeRefusal(500, "internal error"))
    }
  }

  private func authenticate(_ request: Request) throws -> Principal {
    // The scheme is matched without regard to case (RFC 9110, 11.1).
    guard let header = request.headers[.authorization],
      let blank = header.firstIndex(of: " "), header[..<blank].lowercased() == "bearer"
    else { throw PipeRefusal(401, "JWT token is invalid.", code: "390144") }
    let directory = users.directory
    return try TokenVerifier(account: directory.account).verify(
      header[blank...].trimmingCharacters(in: .whitespaces), now: now()
    ) { directory.keys[$0] }
  }

  /// Throws 404 unless the path names the embedded pipe.
  private func named(_ context: BasicRequestContext) throws {
    let text = context.parameters.get("pipe") ?? ""
    guard PipeName(text.removingPercentEncoding ?? text) == EmbeddedPipe.name else {
      throw PipeRefusal(404, "the pipe does not exist or you have no right to it")
    }
  }

  private static func body(_ request: Request) async throws -> Data {
    let tooLong = PipeRefusal(413, "the body is longer than \(longestBody >> 20) MiB")
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > longestBody {
      throw tooLong
    }
    do {
      let buffer = try await request.body.collect(upTo: longestBody)
      return Data(buffer.readableBytesView)
    } catch is NIOTooManyBytesError {
      throw tooLong
    }
  }

  private static func instant(_ text: Substring, _ name: String) throws -> Date {
    guard let date = Instants.date(String(text)) else {
      throw PipeRefusal(400, "\(name) is no ISO 8601 instant such as 2026-11-23T10:00:00Z")
    }
    return date
  }

  private static func json(_ value: some Encodable, status: Int = 200) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: HTTPResponse.Status(code: status), headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
  }

  private static func response(_ refusal: PipeRefusal) -> Response {
    var response =
      (try? json(RefusalBody(refusal), status: refusal.status))
      ?? Response(status: .internalServerError)
    if let seconds = refusal.retryAfterSeconds { response.headers[.retryAfter] = String(seconds) }
    return response
  }
}
