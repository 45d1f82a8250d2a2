import Foundation

/// Where credentials are looked for, in the order of the AWS command line.
struct CredentialChain: Sendable {
  let environment: [String: String]
  let config: SharedConfig
  let region: String?
  let authorities: Authorities?

  var sources: [any CredentialSource] {
    [
      EnvironmentCredentials(environment: environment),
      AssumedRoleCredentials(config: config, chain: self),
      WebIdentityCredentials(environment: environment, config: config, chain: self),
      ProfileCredentials(config: config, profile: config.profile),
      ProcessCredentials(config: config, profile: config.profile),
      SingleSignOn(config: config),
      ContainerCredentials(environment: environment),
      InstanceCredentials(environment: environment),
    ]
  }

  /// A client of the token service.
  ///
  /// - Parameter credentials: nil for calls that carry their own proof.
  func tokenService(_ credentials: CredentialProvider?) throws -> AWSClient {
    let region = region ?? "us-east-1"
    let custom = environment["AWS_ENDPOINT_URL_STS"] ?? environment["AWS_ENDPOINT_URL"]
    return AWSClient(
      endpoint: try custom.map { try Endpoint(url: $0, setting: "AWS_ENDPOINT_URL_STS") }
        ?? AWSEnvironment.endpoint("sts", region),
      region: region, service: "sts", credentials: credentials,
      authorities: authorities)
  }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
struct EnvironmentCredentials: CredentialSource {
  let environment: [String: String]

  func credentials() async throws -> AWSCredentials? {
    let id = environment["AWS_ACCESS_KEY_ID"].flatMap { $0.isEmpty ? nil : $0 }
    let secret = environment["AWS_SECRET_ACCESS_KEY"].flatMap { $0.isEmpty ? nil : $0 }
    guard let id, let secret else {
      guard id == nil, secret == nil else {
        throw AWSError(
          .credentials,
          "\(id == nil ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY") is not set, and the other one is: set both"
        )
      }
      return nil
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"])
  }
}

/// The keys of a profile.
struct ProfileCredentials: CredentialSource {
  let config: SharedConfig
  let profile: String

  func credentials() async throws -> AWSCredentials? {
    let settings = config.settings(profile)
    guard let id = settings["aws_access_key_id"] else { return nil }
    guard let secret = settings["aws_secret_access_key"] else {
      throw AWSError(.credentials, "the profile '\(profile)' has no aws_secret_access_key")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: settings["aws_session_token"])
  }
}

/// A role that the profile names, taken with the keys of another profile or of the host.
struct AssumedRoleCredentials: CredentialSource {
  let config: SharedConfig
  let chain: CredentialChain

  func credentials() async throws -> AWSCredentials? {
    try await credentials(of: config.profile, visited: [])
  }

  private func credentials(of profile: String, visited: Set<String>) async throws -> AWSCredentials?
  {
    let settings = config.settings(profile)
    guard let role = settings["role_arn"], settings["web_identity_token_file"] == nil else {
      return nil
    }
    guard !visited.contains(profile) else {
      throw AWSError(.configuration, "the profile '\(profile)' takes its role from itself")
    }
    let keys = try await source(of: profile, settings, visited.union([profile]))
    var query = [
      ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role),
      ("RoleSessionName", settings["role_session_name"] ?? TokenService.sessionName),
    ]
    if let id = settings["external_id"] { query.append(("ExternalId", id)) }
    if let seconds = settings["duration_seconds"] { query.append(("DurationSeconds", seconds)) }
    return try await TokenService.credentials(
      query, action: "sts:AssumeRole", resource: role,
      client: chain.tokenService(CredentialProvider(fixed: keys)))
  }

  private func source(
    of profile: String, _ settings: SharedConfig.Section, _ visited: Set<String>
  ) async throws -> AWSCredentials {
    if let name = settings["source_profile"] {
      guard config.has(name) else {
        throw AWSError(
          .configuration, "the profile '\(profile)' names the profile '\(name)', which is not there"
        )
      }
      if name != profile, let keys = try await credentials(of: name, visited: visited) {
        return keys
      }
      for source: any CredentialSource in [
        ProfileCredentials(config: config, profile: name),
        ProcessCredentials(config: config, profile: name),
      ] {
        if let keys = try await source.credentials() { return keys }
      }
      throw AWSError(.credentials, "the profile '\(name)' holds no credentials")
    }
    let source: any CredentialSource
    switch settings["credential_source"]?.lowercased() {
    case "environment": source = EnvironmentCredentials(environment: chain.environment)
    case "ecscontainer": source = ContainerCredentials(environment: chain.environment)
    case "ec2instancemetadata": source = InstanceCredentials(environment: chain.environment)
    default:
      throw AWSError(
        .configuration,
        "the profile '\(profile)' has a role_arn and neither source_profile nor credential_source")
    }
    guard let keys = try await source.credentials() else {
      throw AWSError(
        .credentials, "the credential_source of the profile '\(profile)' has no credentials")
    }
    return keys
  }
}

/// A role given for a token in a file, as in a Kubernetes pod.
struct WebIdentityCredentials: CredentialSource {
  let environment: [String: String]
  let config: SharedConfig
  let chain: CredentialChain

  func credentials() async throws -> AWSCredentials? {
    let settings = config.settings()
    guard
      let file = environment["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? settings["web_identity_token_file"],
      let role = environment["AWS_ROLE_ARN"] ?? settings["role_arn"]
    else { return nil }
    // Read each time: the token is renewed in its place.
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw AWSError(.credentials, "the web identity token \(file) cannot be read")
    }
    let name =
      environment["AWS_ROLE_SESSION_NAME"] ?? settings["role_session_name"]
      ?? TokenService.sessionName
    return try await TokenService.credentials(
      [
        ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
        ("RoleSessionName", name),
        (
          "WebIdentityToken",
          String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        ),
      ], action: "sts:AssumeRoleWithWebIdentity", resource: role,
      client: chain.tokenService(nil))
  }
}

/// The one call of STS that is needed: a role's credentials.
enum TokenService {
  static let sessionName = "medallion"

  static func credentials(
    _ form: [(name: String, value: String)], action: String, resource: String, client: AWSClient
  ) async throws -> AWSCredentials {
    let request = AWSRequest(
      method: "POST", headers: [("content-type", "application/x-www-form-urlencoded")],
      body: Payload(AWSText.query(form)), action: action, resource: resource,
      patience: .seconds(20))
    let bytes: [UInt8]
    do {
      bytes = try await client.send(request).bytes()
    } catch let failure as ServiceError {
      throw AWSError(
        .credentials, "\(action) on \(resource) was refused (\(failure.code)): \(failure.message)")
    }
    let tree = XMLTree(parsing: bytes)
    guard
      let found = tree?.children.first(where: { $0.name.hasSuffix("Result") })?["Credentials"],
      let id = found.text("AccessKeyId"), let secret = found.text("SecretAccessKey")
    else {
      throw AWSError(.credentials, "\(client.endpoint.text) does not answer as STS does")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: found.text("SessionToken"),
      expiration: found.text("Expiration").flatMap(Timestamps.parse))
  }
}

/// What a program of the user's prints.
struct ProcessCredentials: CredentialSource {
  let config: SharedConfig
  let profile: String

  private struct Reply: Decodable {
    let version: Int
    let accessKeyId: String
    let secretAccessKey: String
    let sessionToken: String?
    let expiration: String?
  }

  func credentials() async throws -> AWSCredentials? {
    guard let command = config.settings(profile)["credential_process"] else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw AWSError(.credentials, "the credential_process of '\(profile)' cannot be started")
    }
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0,
      let reply = try? AWSJSON.decode(Reply.self, from: bytes), reply.version == 1
    else {
      throw AWSError(
        .credentials,
        "the credential_process of the profile '\(profile)' gave no credentials (exit code \(process.terminationStatus))"
      )
    }
    return AWSCredentials(
      accessKeyID: reply.accessKeyId, secretAccessKey: reply.secretAccessKey,
      sessionToken: reply.sessionToken, expiration: reply.expiration.flatMap(Timestamps.parse))
  }
}

/// A profile that wants a browser: the AWS command line can hand on what it got there.
struct SingleSignOn: CredentialSource {
  let config: SharedConfig

  func credentials() async throws -> AWSCredentials? {
    let settings = config.settings()
    guard settings["sso_session"] != nil || settings["sso_start_url"] != nil else { return nil }
    throw AWSError(
      .credentials,
      "the profile '\(config.profile)' signs in by a browser: run 'aws sso login', then 'eval \"$(aws configure export-credentials --format env)\"'"
    )
  }
}

/// Times in replies: RFC 3339.
enum Timestamps {
  static func parse(_ text: String) -> Date? {
    let styles = [
      Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true),
    ]
    return styles.lazy.compactMap { try? $0.parse(text) }.first
  }
}
