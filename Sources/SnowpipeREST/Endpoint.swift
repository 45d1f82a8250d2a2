import Foundation
import KeyPair

/// Where a service listens.
public struct Endpoint: Sendable, CustomStringConvertible {
  /// `https://host` or `http://127.0.0.1:8080`, without a path.
  public let description: String

  /// Snowflake's own, for an account's name or host.
  public init(account: String) {
    let host = account.lowercased().replacing("_", with: "-")
    description =
      host.hasSuffix(".snowflakecomputing.com") || host.hasSuffix(".snowflakecomputing.cn")
      ? "https://\(host)" : "https://\(host).snowflakecomputing.com"
  }

  /// Any other.
  ///
  /// Throws `ClientError.badEndpoint` if it is no URL of a host, or would send tokens in the clear
  /// to another machine.
  public init(url: String) throws(ClientError) {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty,
      parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.user == nil
    else {
      throw ClientError(
        .badEndpoint, "'\(url)' is no endpoint: it is like https://host or http://127.0.0.1:8080")
    }
    let isLocal = ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
    guard scheme == "https" || isLocal else {
      throw ClientError(
        .badEndpoint, "'\(url)' would send tokens in the clear to another machine: use https")
    }
    let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    description = "\(scheme)://\(bracketed)" + (parts.port.map { ":\($0)" } ?? "")
  }
}
