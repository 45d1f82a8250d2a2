public import AsyncHTTPClient
public import Foundation
public import KeyPair
public import Logging
import NIOCore
import NIOHTTP1

/// A pipe behind Snowpipe's REST calls: a Snowflake account's, or that of `medallion serve`.
public struct SnowpipeClient: PipeService {
  public let endpoint: Endpoint
  public let pipe: PipeName
  private let tokens: TokenIssuer
  private let http: HTTPClient
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let pause: @Sendable (Duration) async throws -> Void

  /// - Parameters:
  ///   - now: the clock by which a server's is judged.
  ///   - pause: waits before a request is sent again.
  public init(
    endpoint: Endpoint, pipe: PipeName, tokens: TokenIssuer, http: HTTPClient, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() },
    pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.endpoint = endpoint
    self.pipe = pipe
    self.tokens = tokens
    self.http = http
    self.logger = logger
    self.now = now
    self.pause = pause
  }

  /// Runs `body` with a client that follows no redirects, which would take the token elsewhere.
  public static func withHTTPClient<T>(
    _ body: (HTTPClient) async throws -> T
  ) async throws -> T {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(60))
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let value = try await body(client)
      try await client.shutdown()
      return value
    } catch {
      try? await client.shutdown()
      throw error
    }
  }

  public func insertFiles(
    _ files: [StagedFile], requestID: String, showSkipped: Bool
  ) async throws -> InsertFilesResponse {
    var query = ["requestId": requestID]
    if showSkipped { query["showSkippedFiles"] = "true" }
    return try await call(
      .POST, path("insertFiles"), query, body: InsertFilesRequest(files: files))
  }

  public func insertReport(beginMark: String?, recentSeconds: Int?) async throws -> InsertReport {
    var query = ["requestId": UUID().uuidString.lowercased()]
    query["beginMark"] = beginMark
    query["recentSeconds"] = recentSeconds.map(String.init)
    return try await call(.GET, path("insertReport"), query)
  }

  public func loadHistoryScan(from start: Date, until end: Date?) async throws -> LoadHistory {
    var query = ["requestId": UUID().uuidString.lowercased()]
    query["startTimeInclusive"] = Instants.text(start)
    query["endTimeExclusive"] = end.map(Instants.text)
    return try await call(.GET, path("loadHistoryScan"), query)
  }

  public func status() async throws -> PipeStatus {
    let result = try await run(.status)
    guard let text = result.data?.first?.first ?? nil,
      let status = try? JSONDecoder().decode(PipeStatus.self, from: Data(text.utf8))
    else { throw notUnderstood("SYSTEM$PIPE_STATUS") }
    return status
  }

  public func refresh(prefix: String?, modifiedAfter: Date?) async throws -> [String] {
    try await run(.refresh(prefix: prefix, modifiedAfter: modifiedAfter)).data?.compactMap {
      $0.first ?? nil
    } ?? []
  }

  public func setPaused(_ isPaused: Bool) async throws { _ = try await run(.setPaused(isPaused)) }

  // MARK: -

  private func path(_ call: String) -> String {
    "/v1/data/pipes/\(Self.encode(pipe.description))/\(call)"
  }

  private func run(_ statement: PipeStatement) async throws -> StatementResult {
    let request = StatementRequest(statement: statement.sql(for: pipe), timeout: 60)
    let result: StatementResult = try await call(
      .POST, "/api/v2/statements", ["requestId": UUID().uuidString.lowercased()], body: request)
    guard result.data != nil else { throw notUnderstood("statements") }
    return result
  }

  private func call<Value: Decodable>(
    _ method: HTTPMethod, _ path: String, _ query: [String: String],
    body: (any Encodable & Sendable)? = nil
  ) async throws -> Value {
    let words = query.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.encode($0.value))" }
    let url = "\(endpoint)\(path)?\(words.joined(separator: "&"))"
    let bytes = try body.map { try JSONEncoder().encode($0) }
    let data = try await send(method, url, bytes)
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch {
      throw notUnderstood(path.split(separator: "/").last.map(String.init) ?? path)
    }
  }

  private struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let body: Data
  }

  /// Sends a request, and again where the documentation asks for it.
  private func send(_ method: HTTPMethod, _ url: String, _ body: Data?) async throws -> Data {
    var retry = Retry()
    while true {
      let answer: Answer
      do {
        answer = try await once(method, url, body)
      } catch is CancellationError {
        throw CancellationError()
      } catch let failure as KeyError {
        throw failure
      } catch {
        guard case .wait(let duration) = retry.next(status: nil) else {
          throw ClientError(.unreachable, "nobody answers at \(endpoint): \(Self.words(error))")
        }
        logger.warning("nobody answers, trying again", metadata: ["after": "\(duration)"])
        try await pause(duration)
        continue
      }
      if (200...299).contains(answer.status) { return answer.body }
      let seconds = answer.headers.first(name: "retry-after").flatMap(Int.init)
      switch retry.next(status: answer.status, retryAfter: seconds.map { .seconds($0) }) {
      case .renewToken: tokens.forget()
      case .wait(let duration):
        logger.warning(
          "refused, trying again",
          metadata: ["status": "\(answer.status)", "after": "\(duration)"])
        try await pause(duration)
      case .giveUp: throw refusal(answer)
      }
    }
  }

  private func once(_ method: HTTPMethod, _ url: String, _ body: Data?) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers.add(name: "Authorization", value: "Bearer \(try tokens.token())")
    request.headers.add(name: "X-Snowflake-Authorization-Token-Type", value: "KEYPAIR_JWT")
    request.headers.add(name: "Accept", value: "application/json")
    request.headers.add(name: "User-Agent", value: "medallion")
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let response = try await http.execute(request, timeout: .seconds(60))
    let buffer = try await response.body.collect(upTo: 64 << 20)
    return Answer(
      status: Int(response.status.code), headers: response.headers,
      body: Data(buffer.readableBytesView))
  }

  /// What the service said; where a token was refused because of the time, what is wrong with it.
  private func refusal(_ answer: Answer) -> any Error {
    let body = try? JSONDecoder().decode(RefusalBody.self, from: answer.body)
    let message = body?.message ?? ""
    if answer.status == 401, let text = answer.headers.first(name: "date"),
      let theirs = Self.date(text)
    {
      let seconds = Int(now().timeIntervalSince(theirs).rounded())
      if abs(seconds) > Int(TokenVerifier.skew) {
        return ClientError(
          .clock,
          "this machine's clock is \(abs(seconds)) s \(seconds > 0 ? "ahead of" : "behind") that of \(endpoint), which refuses the token: set it"
        )
      }
    }
    return PipeRefusal(
      answer.status, message.isEmpty ? "answered with status \(answer.status)" : message,
      code: body.flatMap { $0.code.isEmpty ? nil : $0.code })
  }

  private func notUnderstood(_ call: String) -> ClientError {
    ClientError(
      .notUnderstood, "\(endpoint) answers \(call) with something else: is it Snowpipe's endpoint?")
  }

  private static func encode(_ text: String) -> String {
    let plain = CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
  }

  /// An HTTP date (RFC 9110, 5.6.7).
  static func date(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text)
  }

  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: error.shortDescription
    default: "there is no connection"
    }
  }
}
