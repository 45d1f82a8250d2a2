import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What the agents of containers and instances answer.
private struct RoleCredentials: Decodable {
  let accessKeyId: String?
  let secretAccessKey: String?
  let token: String?
  let expiration: String?
  let code: String?

  var credentials: AWSCredentials? {
    guard let accessKeyId, let secretAccessKey, code == nil || code == "Success" else { return nil }
    return AWSCredentials(
      accessKeyID: accessKeyId, secretAccessKey: secretAccessKey, sessionToken: token,
      expiration: expiration.flatMap(Timestamps.parse))
  }
}

/// The role of a container: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`.
struct ContainerCredentials: CredentialSource {
  let environment: [String: String]

  func credentials() async throws -> AWSCredentials? {
    let url: String
    if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
      url = "http://169.254.170.2\(path)"
    } else if let full = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
      url = full
      guard isTrusted(full) else {
        throw AWSError(
          .configuration,
          "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or on this host: keys are not asked for over an open network"
        )
      }
    } else {
      return nil
    }
    var token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    if let file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      token = FileManager.default.contents(atPath: file).map {
        String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      }
    }
    let bytes = try await Metadata.get(url, headers: token.map { [("authorization", $0)] } ?? [])
    guard let bytes, let reply = try? AWSJSON.decode(RoleCredentials.self, from: bytes),
      let found = reply.credentials
    else {
      throw AWSError(.credentials, "the container's role gave no credentials")
    }
    return found
  }

  private func isTrusted(_ url: String) -> Bool {
    guard let parts = URLComponents(string: url), let host = parts.host else { return false }
    // The agents of ECS and EKS have these addresses.
    let local = ["localhost", "127.0.0.1", "[::1]", "::1", "169.254.170.2", "169.254.170.23"]
    return parts.scheme == "https" || local.contains(host)
  }
}

/// The role of an instance, by its metadata service, version 2.
struct InstanceCredentials: CredentialSource {
  let environment: [String: String]

  func credentials() async throws -> AWSCredentials? {
    if environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" { return nil }
    let base =
      environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254"
    let roles = "\(base)/latest/meta-data/iam/security-credentials/"
    // No answer: this is no instance.
    guard
      let token = try? await Metadata.get(
        "\(base)/latest/api/token", method: "PUT",
        headers: [("x-aws-ec2-metadata-token-ttl-seconds", "21600")])
    else { return nil }
    let headers = [("x-aws-ec2-metadata-token", String(decoding: token, as: UTF8.self))]
    guard let names = try await Metadata.get(roles, headers: headers),
      let role = String(decoding: names, as: UTF8.self).split(whereSeparator: \.isNewline).first
    else { return nil }
    guard let bytes = try await Metadata.get("\(roles)\(role)", headers: headers),
      let reply = try? AWSJSON.decode(RoleCredentials.self, from: bytes),
      let found = reply.credentials
    else {
      throw AWSError(.credentials, "the instance's role \(role) gave no credentials")
    }
    return found
  }
}

/// Requests to the agents of this host.
private enum Metadata {
  /// The body of the answer; nil where it is no success. Tried three times.
  static func get(
    _ url: String, method: String = "GET", headers: [(name: String, value: String)] = []
  ) async throws -> Data? {
    var request = HTTPClientRequest(url: url)
    request.method = .init(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    var tries = 0
    while true {
      do {
        let response = try await HTTPConnections.client().execute(
          request, timeout: .seconds(1))
        if response.status.code < 500 {
          guard response.status == .ok else { return nil }
          return Data(Array(buffer: try await response.body.collect(upTo: 1 << 16)))
        }
      } catch let failure where !(failure is CancellationError) && tries >= 1 {
        throw AWSError(.credentials, "the agent that gives this host its role does not answer")
      } catch let failure as CancellationError {
        throw failure
      } catch {}
      tries += 1
      if tries > 2 { return nil }
      try await Task.sleep(for: AWSClient.pause(after: tries))
    }
  }
}
