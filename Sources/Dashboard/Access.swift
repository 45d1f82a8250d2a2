import Crypto
import Foundation
import HTTPTypes
package import Hummingbird
import NIOCore

/// Who may look: on a loopback address whoever reaches it by that address; elsewhere whoever has the
/// token.
public struct Access: Sendable {
  /// The names under which loopback is reached. Another one means that a page somewhere had its own
  /// name point to here, to read this through a visitor's browser.
  private static let loopback: Set<String> = ["127.0.0.1", "localhost", "[::1]"]
  private static let cookie = "medallion_session"

  private let token: SymmetricKey?

  /// - Parameter token: nil where the server listens on a loopback address.
  public init(token: String?) {
    self.token = token.map { SymmetricKey(data: SHA256.hash(data: Data($0.utf8))) }
  }

  /// Whether only this machine reaches an address.
  public static func isLoopback(_ host: String) -> Bool {
    loopback.contains(host) || host == "::1"
  }

  package enum Verdict {
    case admitted, wrongHost, noToken
  }

  package func judge(_ request: Request) -> Verdict {
    guard let token else {
      let authority = request.head.authority ?? ""
      let name = authority.replacing(/:\d+$/, with: "")
      return Self.loopback.contains(name.lowercased()) ? .admitted : .wrongHost
    }
    if let header = request.headers[.authorization], header.hasPrefix("Bearer "),
      isToken(String(header.dropFirst("Bearer ".count)))
    {
      return .admitted
    }
    let cookies = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }
    for cookie in cookies {
      let pair = cookie.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, pair[0].trimmingPrefix(" ") == Self.cookie,
        let code = Data(base64Encoded: String(pair[1]))
      else { continue }
      // Takes as long for a wrong code as for a right one.
      if HMAC<SHA256>.isValidAuthenticationCode(
        code, authenticating: Data(Self.cookie.utf8), using: token)
      {
        return .admitted
      }
    }
    return .noToken
  }

  /// Whether it is the token; without looking at how much of it is right.
  package func isToken(_ text: String) -> Bool {
    guard let token else { return false }
    let hashed = SymmetricKey(data: SHA256.hash(data: Data(text.utf8)))
    return hashed == token
  }

  /// What a browser shows in place of the token, which it need not keep.
  package var session: String {
    guard let token else { return "" }
    let code = HMAC<SHA256>.authenticationCode(for: Data(Self.cookie.utf8), using: token)
    return "\(Self.cookie)=\(Data(code).base64EncodedString()); Path=/; HttpOnly; SameSite=Strict"
  }
}

/// Refuses who may not look, and tells browsers to load nothing from elsewhere.
struct AccessMiddleware: RouterMiddleware {
  typealias Context = BasicRequestContext

  static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'
    """

  let access: Access

  @concurrent
  func handle(
    _ request: Request, context: Context,
    next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response: Response
    switch access.judge(request) {
    case .admitted:
      response = try await next(request, context)
    case .wrongHost:
      response = .plain(
        .misdirectedRequest, "this server answers to 127.0.0.1 and localhost alone\n")
    case .noToken where request.method == .get && request.uri.path == "/":
      response = Response(status: .seeOther, headers: [.location: "/login"])
    case .noToken:
      response = .plain(.unauthorized, "send the token: Authorization: Bearer TOKEN\n")
      response.headers[.wwwAuthenticate] = "Bearer"
    }
    Self.protect(&response)
    return response
  }

  static func protect(_ response: inout Response) {
    response.headers[.contentSecurityPolicy] = policy
    response.headers[.xContentTypeOptions] = "nosniff"
    for (name, value) in [
      ("Referrer-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
    ] {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
  }
}

extension Response {
  static func plain(_ status: HTTPResponse.Status, _ text: String) -> Response {
    content(status, "text/plain; charset=utf-8", Array(text.utf8))
  }

  static func html(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    content(status, "text/html; charset=utf-8", Array(text.utf8))
  }

  static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> Response
  {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return content(status, "application/json", Array(try encoder.encode(value)))
  }

  static func content(
    _ status: HTTPResponse.Status, _ type: String, _ bytes: [UInt8]
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
