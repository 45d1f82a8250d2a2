import Foundation
import NIOCore
import NIOHTTP1
import ObjectStore

/// The operations of S3 on one bucket, with errors that a person can act on.
///
/// Source: *Amazon S3 API reference*.
struct S3Bucket: Sendable {
  let name: String
  private let client: AWSClient
  private let endpoint: Endpoint
  private let isInPath: Bool

  init(_ location: S3Location, _ environment: AWSEnvironment) throws {
    name = location.bucket
    client = try environment.client("s3")
    let custom = try environment.customEndpoint("s3")
    switch environment.addressing {
    case "path": isInPath = true
    case "virtual": isInPath = false
    default: isInPath = custom != nil || !location.isHostName
    }
    endpoint = isInPath ? client.endpoint : client.endpoint.prefixed(by: name)
  }

  var server: String { client.endpoint.text }

  /// - Parameter action: what a policy calls it.
  func request(
    _ method: String, _ key: String? = nil, action: String,
    query: [(name: String, value: String)] = [], headers: [(name: String, value: String)] = [],
    body: Payload? = nil
  ) -> AWSRequest {
    var path = isInPath ? "/\(name)" : ""
    path += "/" + (key.map { AWSText.encoded($0, keepingSlashes: true) } ?? "")
    return AWSRequest(
      method: method, path: path, query: query, headers: headers, body: body, action: action,
      resource: "arn:aws:s3:::\(name)\(key.map { "/\($0)" } ?? "")")
  }

  /// Sends a request; throws an `AWSError` for an answer that refuses it.
  func send(_ request: AWSRequest) async throws -> AWSResponse {
    do {
      return try await client.send(request, to: endpoint)
    } catch let failure as ServiceError {
      throw explained(failure, request)
    }
  }

  /// Sends a request whose answer is small, and reads it; one that breaks off is asked for again.
  func sendForBytes(
    _ request: AWSRequest, upTo limit: Int
  ) async throws -> (headers: HTTPHeaders, bytes: ByteBuffer) {
    do {
      return try await client.retrying(request) { _ in
        let response = try await client.send(request, to: endpoint)
        do {
          return (response.headers, try await response.body.collect(upTo: limit))
        } catch {
          throw AWSClient.unavailable(error, endpoint)
        }
      }
    } catch let failure as ServiceError {
      throw explained(failure, request)
    }
  }

  /// The same for XML; an error that follows a good status is one as well.
  func sendForXML(_ request: AWSRequest) async throws -> XMLTree {
    do {
      return try await client.retrying(request) { _ in
        let response = try await client.send(request, to: endpoint)
        let bytes: [UInt8]
        do {
          bytes = try await response.bytes()
        } catch {
          throw AWSClient.unavailable(error, endpoint)
        }
        guard let tree = XMLTree(parsing: bytes) else { throw notS3 }
        if tree.name == "Error" {
          // S3 had begun to answer before it failed.
          throw ServiceError(
            status: 500, code: tree.text("Code") ?? "", message: tree.text("Message") ?? "")
        }
        return tree
      }
    } catch let failure as ServiceError {
      throw explained(failure, request)
    }
  }

  /// What became of a request with a condition.
  enum Conditional {
    case done(AWSResponse)
    /// The condition did not hold.
    ///
    /// - Parameter afterTries: the request was sent before, and may have been obeyed then.
    case refused(afterTries: Bool)
  }

  func sendConditionally(_ request: AWSRequest) async throws -> Conditional {
    do {
      return .done(try await client.send(request, to: endpoint))
    } catch let failure as ServiceError where failure.status == 412 {
      return .refused(afterTries: failure.retries > 0)
    } catch let failure as ServiceError {
      throw explained(failure, request)
    }
  }

  // MARK: -

  var notS3: AWSError {
    AWSError(
      .configuration,
      "\(server) does not answer as S3 does: check AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL")
  }

  private func explained(_ failure: ServiceError, _ request: AWSRequest) -> AWSError {
    if let region = failure.region, region != client.signature.region,
      failure.status == 301 || failure.status == 307 || failure.status == 400
        || (failure.status == 403 && request.method == "HEAD")
    {
      return AWSError(
        .configuration,
        "the bucket \(name) is in the region \(region), and was asked for in \(client.signature.region): set AWS_REGION=\(region)"
      )
    }
    if failure.isSkew {
      return AWSError(
        .credentials, "the clocks of this host and of \(server) differ too much: set this one")
    }
    if failure.isIdentity {
      return AWSError(
        .credentials,
        "\(server) does not take the credentials (\(failure.code.isEmpty ? String(failure.status) : failure.code)): check the access key, its secret and session token, or sign in again"
      )
    }
    switch (failure.status, failure.code) {
    case (_, "NoSuchBucket"):
      return AWSError(
        .configuration,
        "there is no bucket \(name) at \(server): make it with 'aws s3 mb s3://\(name)', or correct the name"
      )
    case (_, "NoSuchKey"), (_, "NoSuchUpload"), (404, ""):
      return AWSError(.notFound, "s3://\(request.resource.dropFirst(13)) does not exist")
    case (412, _):
      return AWSError(.conflict, "s3://\(request.resource.dropFirst(13)) is there already")
    case (403, _), (401, _):
      return AWSError(
        .accessDenied,
        "\(request.action) on \(request.resource) was refused (\(failure.code.isEmpty ? "403" : failure.code)): a policy must allow it"
      )
    case (_, _) where failure.isTransient:
      return AWSError(
        .unavailable,
        "\(server) fails (\(failure.code.isEmpty ? String(failure.status) : failure.code)) on \(request.action)"
      )
    case (_, ""):
      return notS3
    default:
      return AWSError(
        .refused,
        "\(server) refuses \(request.action) on \(request.resource) (\(failure.code)): \(failure.message)"
      )
    }
  }
}
