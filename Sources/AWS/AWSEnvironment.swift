public import Foundation

/// The settings of AWS on this host: region, endpoints, credentials, from the environment and the
/// files of the AWS command line, in its order.
public struct AWSEnvironment: Sendable {
  /// The region of the environment or the profile; nil where neither names one.
  package let region: String?
  public let credentials: CredentialProvider
  private let environment: [String: String]
  private let config: SharedConfig
  /// Of `AWS_CA_BUNDLE` or the profile's `ca_bundle`.
  let authorities: Authorities?

  /// Throws `AWSError.configuration` where the settings do not fit together.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    self.environment = environment
    config = try SharedConfig(environment: environment)
    region = try Self.region(environment, config)
    authorities = Self.authorities(environment, config)
    credentials = CredentialProvider(
      CredentialChain(
        environment: environment, config: config, region: region, authorities: authorities
      ).sources)
  }

  /// A client of one service.
  ///
  /// - Parameter region: in place of the one that the settings name.
  func client(_ service: String, signedAs signingName: String? = nil, region: String? = nil) throws
    -> AWSClient
  {
    let region = region ?? self.region ?? "us-east-1"
    return AWSClient(
      endpoint: try customEndpoint(service) ?? Self.endpoint(service, region), region: region,
      service: signingName ?? service, credentials: credentials, authorities: authorities)
  }

  private static func region(
    _ environment: [String: String], _ config: SharedConfig
  ) throws -> String? {
    for (settings, name) in [
      (environment, "AWS_REGION"), (environment, "AWS_DEFAULT_REGION"),
      (config.settings(), "region"),
    ] {
      guard let region = settings[name], !region.isEmpty else { continue }
      guard region.wholeMatch(of: /[a-z0-9-]+/) != nil else {
        throw AWSError(
          .configuration, "\(name) is '\(region)', which is no region: it must be like eu-west-1")
      }
      return region
    }
    return nil
  }

  private static func authorities(
    _ environment: [String: String], _ config: SharedConfig
  ) -> Authorities? {
    for (settings, name) in [(environment, "AWS_CA_BUNDLE"), (config.settings(), "ca_bundle")] {
      if let path = settings[name], !path.isEmpty {
        return Authorities(path: path, setting: name)
      }
    }
    return nil
  }

  /// The endpoint that somebody set: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or the profile's.
  package func customEndpoint(_ service: String) throws -> Endpoint? {
    if environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() == "true" { return nil }
    for name in ["AWS_ENDPOINT_URL_\(service.uppercased())", "AWS_ENDPOINT_URL"] {
      if let url = environment[name], !url.isEmpty { return try Endpoint(url: url, setting: name) }
    }
    for (settings, name) in [
      (config.services, "\(service).endpoint_url"), (config.settings(), "endpoint_url"),
    ] {
      if let url = settings[name] { return try Endpoint(url: url, setting: name) }
    }
    return nil
  }

  /// Whether buckets stand in the path or in the host's name; nil where nobody asked for either.
  package var addressing: String? { config.settings()["s3.addressing_style"] }

  static func endpoint(_ service: String, _ region: String) -> Endpoint {
    let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    return Endpoint(host: "\(service).\(region).\(domain)")
  }
}
