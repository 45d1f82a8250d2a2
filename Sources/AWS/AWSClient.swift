import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// One request to a service, before it is signed.
struct AWSRequest: Sendable {
  var method = "GET"
  /// Percent-encoded; begins with `/`.
  var path = "/"
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body: Payload?
  /// What a policy calls it, such as `s3:GetObject`, and what it is done to: for messages.
  var action: String
  var resource: String
  /// How long it is tried again.
  var patience = Duration.seconds(60)
}

/// The body of a request, with its hash.
struct Payload: Sendable {
  let bytes: ByteBuffer
  let sha256: [UInt8]

  init(_ bytes: ByteBuffer) {
    self.bytes = bytes
    sha256 = bytes.withUnsafeReadableBytes { bytes in
      var hash = SHA256()
      hash.update(bufferPointer: bytes)
      return Array(hash.finalize())
    }
  }

  init(_ text: String) { self.init(ByteBuffer(string: text)) }

  /// As S3 keeps it with the object: CRC-64/NVME.
  var checksum: String {
    bytes.withUnsafeReadableBytes { CyclicChecksum.base64(.crc64nvme, of: $0) }
  }
}

/// The answer to a request that succeeded. Its body is still on the way.
struct AWSResponse: Sendable {
  let status: Int
  let headers: HTTPHeaders
  let body: HTTPClientResponse.Body
  /// How many times it was asked before.
  let retries: Int

  /// The whole body, for the small ones.
  func bytes(upTo limit: Int = 64 << 20) async throws -> [UInt8] {
    Array(buffer: try await body.collect(upTo: limit))
  }
}

/// Sends signed requests to one service, and sends them again where that may help.
///
/// Source: *Retry behavior*, in the AWS SDKs reference guide: full jitter, a deadline in place of a
/// count, clocks that differ set right by the server's own.
final class AWSClient: Sendable {
  private static let firstPause = Duration.milliseconds(50)
  private static let longestPause = Duration.seconds(5)

  let endpoint: Endpoint
  let signature: SignatureV4
  private let credentials: CredentialProvider?
  private let authorities: Authorities?
  /// How far the server's clock is ahead of ours, in seconds.
  private let skew = Mutex<TimeInterval>(0)
  /// Whether the server has answered, whatever it said.
  private let hasAnswered = Atomic(false)
  /// Of the first request: an address without a server is most likely a wrong one.
  private static let firstPatience = Duration.seconds(10)

  /// - Parameters:
  ///   - credentials: nil sends requests without a signature.
  ///   - authorities: whom to believe who a server is; nil for those whom the system trusts.
  init(
    endpoint: Endpoint, region: String, service: String, credentials: CredentialProvider?,
    authorities: Authorities?
  ) {
    self.endpoint = endpoint
    signature = SignatureV4(region: region, service: service)
    self.credentials = credentials
    self.authorities = authorities
  }

  /// Sends a request until it succeeds, fails for good, or its patience is at an end.
  ///
  /// Throws `ServiceError` for an answer that says why it is refused, and `AWSError` where there
  /// is none.
  func send(_ request: AWSRequest, to endpoint: Endpoint? = nil) async throws -> AWSResponse {
    try await retrying(request) { retries in
      try await self.attempt(request, endpoint ?? self.endpoint, retries)
    }
  }

  /// Runs `body`, and again where its error may pass, for as long as the request has patience.
  func retrying<T>(
    _ request: AWSRequest, _ body: (_ retries: Int) async throws -> T
  ) async throws -> T {
    let began = ContinuousClock.now
    var end: ContinuousClock.Instant {
      let isKnown = hasAnswered.load(ordering: .relaxed)
      return began + (isKnown ? request.patience : min(request.patience, Self.firstPatience))
    }
    var retries = 0
    var renewals = 0
    while true {
      do {
        return try await body(retries)
      } catch let failure as ServiceError where failure.isExpired || failure.isSkew {
        // Again with new keys, or by the server's clock.
        renewals += 1
        if renewals > 3 { throw failure }
      } catch let failure as ServiceError where failure.isTransient {
        if ContinuousClock.now >= end { throw failure }
      } catch let failure as AWSError where failure.isOutage {
        if ContinuousClock.now >= end { throw failure }
      }
      try Task.checkCancellation()
      try await Task.sleep(for: Self.pause(after: retries))
      retries += 1
    }
  }

  /// Somewhere between nothing and a limit that doubles: those who failed together do not come
  /// back together.
  static func pause(after retries: Int) -> Duration {
    let limit = min(firstPause * (1 << min(retries, 10)), longestPause)
    return limit * Double.random(in: 0...1)
  }

  // MARK: -

  private func attempt(
    _ request: AWSRequest, _ endpoint: Endpoint, _ retries: Int
  ) async throws -> AWSResponse {
    let keys = try await credentials?.credentials()
    let query = request.query.isEmpty ? "" : "?\(AWSText.query(request.query))"
    var sent = HTTPClientRequest(url: "\(endpoint.text)\(request.path)\(query)")
    sent.method = HTTPMethod(rawValue: request.method)
    for (name, value) in request.headers { sent.headers.add(name: name, value: value) }
    if let body = request.body { sent.body = .bytes(body.bytes) }
    if let keys {
      let signed = SignatureV4.Request(
        method: request.method, path: endpoint.basePath + request.path, query: request.query,
        headers: request.headers + [("host", endpoint.authority)],
        payloadHash: request.body.map { hexadecimal($0.sha256) }
          ?? SignatureV4.Request.emptyPayload)
      let date = Date().addingTimeInterval(skew.withLock { $0 })
      for (name, value) in signature.headers(for: signed, credentials: keys, at: date) {
        sent.headers.add(name: name, value: value)
      }
    }
    let response: HTTPClientResponse
    let http = try HTTPConnections.client(for: endpoint, trusting: authorities)
    do {
      // The deadline is that of the answer's head: a slow line has time for a large body.
      let size = request.body?.bytes.readableBytes ?? 0
      response = try await http.execute(sent, timeout: .seconds(30 + Int64(size >> 18)))
    } catch let failure where !(failure is CancellationError) {
      throw Self.unavailable(failure, endpoint)
    }
    hasAnswered.store(true, ordering: .relaxed)
    let status = Int(response.status.code)
    if (200..<300).contains(status) {
      return AWSResponse(
        status: status, headers: response.headers, body: response.body, retries: retries)
    }
    var failure = try await Self.failure(response)
    failure.retries = retries
    if failure.isSkew, let date = response.headers.first(name: "date").flatMap(HTTPDate.parse) {
      skew.withLock { $0 = date.timeIntervalSinceNow }
    }
    if failure.isExpired, let keys { await credentials?.reject(keys) }
    throw failure
  }

  /// What a reply that is no success says.
  private static func failure(_ response: HTTPClientResponse) async throws -> ServiceError {
    let status = Int(response.status.code)
    // A body that breaks off still has its status.
    let bytes = Array(buffer: (try? await response.body.collect(upTo: 1 << 20)) ?? ByteBuffer())
    var failure = ServiceError(status: status, code: "", message: "")
    if let tree = XMLTree(parsing: bytes) {
      let error = tree["Error"] ?? tree
      failure = ServiceError(
        status: status, code: error.text("Code") ?? "", message: error.text("Message") ?? "",
        region: error.text("Region"))
    } else if let reply = try? JSONDecoder().decode(JSONFailure.self, from: Data(bytes)) {
      let type = reply.type ?? response.headers.first(name: "x-amzn-errortype") ?? ""
      // com.amazonaws.sqs#QueueDoesNotExist:…
      let code = type.split(separator: "#").last?.split(separator: ":").first ?? ""
      failure = ServiceError(status: status, code: String(code), message: reply.message ?? "")
    }
    failure.isSilent = bytes.isEmpty
    failure.region = response.headers.first(name: "x-amz-bucket-region") ?? failure.region
    return failure
  }

  private struct JSONFailure: Decodable {
    let type: String?
    let message: String?

    enum CodingKeys: String, CodingKey {
      case type = "__type"
      case message
      case capitalMessage = "Message"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      type = try values.decodeIfPresent(String.self, forKey: .type)
      message =
        try values.decodeIfPresent(String.self, forKey: .message)
        ?? values.decodeIfPresent(String.self, forKey: .capitalMessage)
    }
  }

  static func unavailable(_ failure: any Error, _ endpoint: Endpoint) -> any Error {
    if failure is CancellationError { return failure }
    if let failure = failure as? HTTPClientError, failure == .cancelled {
      return CancellationError()
    }
    if let failure = failure as? HTTPClientError, [.invalidURL, .emptyHost].contains(failure) {
      return AWSError(.configuration, "\(endpoint.text) is no address that can be asked")
    }
    let text = String(describing: failure)
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return AWSError(
        .configuration,
        "\(endpoint.authority) has a certificate of nobody whom this host trusts: name a file of its authority's certificate in AWS_CA_BUNDLE"
      )
    }
    if let failure = failure as? NIOSSLExtraError, failure == .failedToValidateHostname {
      return AWSError(
        .configuration,
        "\(endpoint.authority) has a certificate for another name: check the endpoint's")
    }
    if text.contains("WRONG_VERSION_NUMBER") {
      return AWSError(
        .configuration,
        "\(endpoint.authority) does not speak TLS: its address must begin with http:// in place of https://"
      )
    }
    return AWSError(
      .unavailable,
      "\(endpoint.authority) does not answer (\(reason(failure, text))): check the endpoint and the network"
    )
  }

  /// In the words of people, without the payload that some errors carry.
  private static func reason(_ failure: any Error, _ text: String) -> String {
    let timeouts: [HTTPClientError] = [
      .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout, .tlsHandshakeTimeout,
    ]
    if let failure = failure as? HTTPClientError, timeouts.contains(failure) { return "timed out" }
    for (sign, reason) in [
      ("UnknownHost", "no such host"), ("Connection refused", "connection refused"),
      ("remoteConnectionClosed", "it hung up"),
    ] where text.contains(sign) {
      return reason
    }
    return text.split(separator: "\n").first.map { String($0.prefix(120)) } ?? ""
  }
}

/// Dates of HTTP headers: `Wed, 21 Oct 2015 07:28:00 GMT`.
enum HTTPDate {
  static func parse(_ text: String) -> Date? {
    guard
      let found = text.firstMatch(
        of: /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/),
      let month = months.firstIndex(of: String(found.2))
    else { return nil }
    return DateComponents(
      calendar: .utc, timeZone: .gmt, year: Int(found.3), month: month + 1, day: Int(found.1),
      hour: Int(found.4), minute: Int(found.5), second: Int(found.6)
    ).date
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
