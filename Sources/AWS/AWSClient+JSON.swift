import Foundation
import NIOCore

extension AWSClient {
  /// Calls an operation of a service that speaks JSON.
  ///
  /// Throws an `AWSError` for an answer that refuses it.
  func callJSON<Output: Decodable>(
    target: String, version: String, _ input: some Encodable, action: String, resource: String
  ) async throws -> Output {
    let request = AWSRequest(
      method: "POST",
      headers: [
        ("content-type", "application/x-amz-json-\(version)"), ("x-amz-target", target),
      ],
      body: Payload(ByteBuffer(bytes: try AWSJSON.encode(input))), action: action,
      resource: resource)
    let bytes: [UInt8]
    do {
      let response = try await send(request)
      bytes = Array(buffer: try await response.collect(upTo: 16 << 20))
    } catch let failure as ServiceError {
      throw explained(failure, request)
    }
    do {
      return try AWSJSON.decode(
        Output.self, from: Data(bytes.isEmpty ? Array("{}".utf8) : bytes))
    } catch {
      throw notAWS(request)
    }
  }

  private func notAWS(_ request: AWSRequest) -> AWSError {
    AWSError(
      .configuration,
      "\(endpoint.text) does not answer \(request.action) as AWS does: check the endpoint")
  }

  private func explained(_ failure: ServiceError, _ request: AWSRequest) -> AWSError {
    if failure.isIdentity {
      return AWSError(
        .credentials,
        "\(endpoint.text) does not take the credentials (\(failure.code)): check the access key, its secret and session token, or sign in again"
      )
    }
    if failure.status == 501 { return notAWS(request) }
    switch failure.code {
    case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
      "ResourceNotFoundException", "EntityNotFoundException":
      return AWSError(
        .notFound,
        "\(request.resource) does not exist in \(signature.region), or not for this account")
    case "AccessDenied", "AccessDeniedException", "AccessDeniedFault":
      return AWSError(
        .accessDenied,
        "\(request.action) on \(request.resource) was refused (\(failure.code)): a policy must allow it"
      )
    default:
      if failure.isTransient {
        return AWSError(
          .unavailable,
          "\(endpoint.text) fails (\(failure.code.isEmpty ? String(failure.status) : failure.code)) on \(request.action)"
        )
      }
      return AWSError(
        failure.status == 403 ? .accessDenied : .refused,
        "\(request.action) on \(request.resource) was refused (\(failure.code)): \(failure.message)"
      )
    }
  }
}
