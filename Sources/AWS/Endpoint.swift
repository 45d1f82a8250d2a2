import Foundation

/// Where a service is reached.
package struct Endpoint: Sendable, Equatable {
  package let scheme: String
  package let host: String
  package let port: Int?
  /// What comes before every path; empty, or begins with `/` and does not end with it.
  package let basePath: String

  init(scheme: String = "https", host: String, port: Int? = nil, basePath: String = "") {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.basePath = basePath
  }

  /// - Parameter url: such as `http://127.0.0.1:9000`.
  init(url: String, setting: String) throws {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty,
      Self.isPort(parts.port)
    else {
      throw AWSError(
        .configuration,
        "\(setting) is not the address of a server: it must be like https://s3.example.com")
    }
    guard parts.user == nil, parts.password == nil else {
      throw AWSError(.configuration, "\(setting) holds a user or password: leave it out")
    }
    self.init(
      scheme: scheme, host: host, port: parts.port,
      basePath: parts.percentEncodedPath.hasSuffix("/")
        ? String(parts.percentEncodedPath.dropLast()) : parts.percentEncodedPath)
  }

  /// Whether a server can listen there; nil is the scheme's own.
  static func isPort(_ port: Int?) -> Bool { port.map { (1...65535).contains($0) } ?? true }

  /// As the `Host` header has it: with the port, unless it is the scheme's own.
  var authority: String {
    guard let port, port != (scheme == "https" ? 443 : 80) else { return host }
    return "\(host):\(port)"
  }

  func prefixed(by label: String) -> Endpoint {
    Endpoint(scheme: scheme, host: "\(label).\(host)", port: port, basePath: basePath)
  }

  package var text: String { "\(scheme)://\(authority)\(basePath)" }
}
