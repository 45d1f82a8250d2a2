import AsyncHTTPClient
import Foundation
import NIOCore
import NIOSSL
import Synchronization

/// The clients that speak HTTP: one for each way to reach a server, which keeps its connections until
/// the program ends.
enum HTTPConnections {
  private struct Way: Hashable {
    let authorities: Authorities?
    let localName: String?
  }

  private static let clients = Mutex<[Way: HTTPClient]>([:])

  /// Throws `AWSError.configuration` where the authorities cannot be read.
  ///
  /// - Parameters:
  ///   - endpoint: nil for the agents of this host.
  ///   - authorities: whom to believe who a server is; nil for those whom the system trusts.
  static func client(
    for endpoint: Endpoint? = nil, trusting authorities: Authorities? = nil
  ) throws -> HTTPClient {
    // Names below localhost are this host, and not every resolver knows (RFC 6761, 6.3).
    let name = endpoint.flatMap { $0.host.hasSuffix(".localhost") ? $0.host : nil }
    let way = Way(
      authorities: endpoint?.scheme == "https" ? authorities : nil, localName: name)
    return try clients.withLock { clients in
      if let client = clients[way] { return client }
      let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: try configuration(of: way))
      clients[way] = client
      return client
    }
  }

  private static func configuration(of way: Way) throws -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let authorities = way.authorities {
      tls.trustRoots = .certificates(try authorities.certificates())
    }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: .seconds(30), write: .seconds(30)),
      decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    // Whoever asks tries again, and knows for how long.
    configuration.connectionPool.retryConnectionEstablishment = false
    // Servers drop idle connections after some time; a request on one of those fails.
    configuration.connectionPool.idleTimeout = .seconds(15)
    if let name = way.localName { configuration.dnsOverride = [name: "127.0.0.1"] }
    return configuration
  }
}

/// Who may vouch for a server, in place of those whom the system trusts.
struct Authorities: Hashable, Sendable {
  /// Of a file of certificates in PEM.
  let path: String
  /// What names it.
  let setting: String

  func certificates() throws -> [NIOSSLCertificate] {
    guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
      throw AWSError(
        .configuration,
        "\(setting) names \(path), which must be a file of certificates in PEM: correct it, or leave it out to trust whom the system trusts"
      )
    }
    return found
  }
}
