import Crypto
public import Foundation

/// Signs requests as AWS asks: Signature Version 4.
///
/// Source: *AWS Signature Version 4 for API requests*, in the IAM user guide.
public struct SignatureV4: Sendable {
  public let region: String
  public let service: String

  public init(region: String, service: String) {
    self.region = region
    self.service = service
  }

  /// What is signed of a request.
  public struct Request: Sendable {
    public var method: String
    /// Percent-encoded, as it is sent; begins with `/`.
    public var path: String
    /// Names and values, not encoded.
    public var query: [(name: String, value: String)]
    /// All of them are signed; `host` must be among them.
    public var headers: [(name: String, value: String)]
    /// The SHA-256 of the body in hexadecimal, or what S3 takes in its place.
    public var payloadHash: String

    public init(
      method: String, path: String, query: [(name: String, value: String)] = [],
      headers: [(name: String, value: String)], payloadHash: String = Self.emptyPayload
    ) {
      self.method = method
      self.path = path
      self.query = query
      self.headers = headers
      self.payloadHash = payloadHash
    }

    /// The SHA-256 of nothing.
    public static let emptyPayload =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }

  /// The headers that make a request a signed one, `Authorization` among them.
  public func headers(
    for request: Request, credentials: AWSCredentials, at date: Date
  ) -> [(name: String, value: String)] {
    let time = Self.time(date)
    var added = [(name: "x-amz-date", value: time)]
    if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
    // Only S3 wants the hash in a header as well.
    if service == "s3" { added.append(("x-amz-content-sha256", request.payloadHash)) }
    var signed = request
    signed.headers += added
    let (canonical, names) = canonicalRequest(signed)
    let toSign = stringToSign(canonical, time)
    let mac = HMAC<SHA256>.authenticationCode(
      for: Data(toSign.utf8), using: signingKey(credentials.secretAccessKey, time.prefix(8)))
    added.append(
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(time)), SignedHeaders=\(names), Signature=\(hexadecimal(mac))"
      ))
    return added
  }

  /// The request in its canonical form, and the names of the signed headers.
  func canonicalRequest(_ request: Request) -> (text: String, signedHeaders: String) {
    var values: [String: [String]] = [:]
    for (name, value) in request.headers {
      values[name.lowercased(), default: []].append(Self.trimmed(value))
    }
    let names = values.keys.sorted()
    let query = request.query
      .map { (AWSText.encoded($0.name), AWSText.encoded($0.value)) }
      .sorted { $0 < $1 }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    let signedHeaders = names.joined(separator: ";")
    let lines =
      [request.method, canonicalPath(request.path), query]
      + names.map { "\($0):\(values[$0]!.joined(separator: ","))" }
      + ["", signedHeaders, request.payloadHash]
    return (lines.joined(separator: "\n"), signedHeaders)
  }

  func stringToSign(_ canonicalRequest: String, _ time: String) -> String {
    let hash = hexadecimal(SHA256.hash(data: Data(canonicalRequest.utf8)))
    return "AWS4-HMAC-SHA256\n\(time)\n\(scope(time))\n\(hash)"
  }

  // MARK: -

  private func scope(_ time: String) -> String {
    "\(time.prefix(8))/\(region)/\(service)/aws4_request"
  }

  private func signingKey(_ secret: String, _ day: Substring) -> SymmetricKey {
    var key = SymmetricKey(data: Data("AWS4\(secret)".utf8))
    for part in [String(day), region, service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: key))
    }
    return key
  }

  /// S3 takes a key as it is; elsewhere the path is made simple and encoded once more.
  private func canonicalPath(_ path: String) -> String {
    if service == "s3" { return path.isEmpty ? "/" : path }
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    let simple = "/" + parts.joined(separator: "/")
    let ends = path.hasSuffix("/") && simple.count > 1 ? "/" : ""
    return AWSText.encoded(simple + ends, keepingSlashes: true)
  }

  /// Without blanks at the ends, and with one where there are several.
  private static func trimmed(_ value: String) -> String {
    value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline })
      .joined(separator: " ")
  }

  /// `20150830T123600Z`
  static func time(_ date: Date) -> String {
    let parts = Calendar.utc.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: date)
    func digits(_ number: Int?, _ width: Int = 2) -> String {
      let text = String(number ?? 0)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return digits(parts.year, 4) + digits(parts.month) + digits(parts.day) + "T"
      + digits(parts.hour) + digits(parts.minute) + digits(parts.second) + "Z"
  }
}

extension Calendar {
  package static let utc: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()
}
