import Foundation
public import Logging
public import ObjectStore

/// A queue of SQS to which S3 tells what was created.
///
/// A message that is none of S3 is left alone: after some deliveries the queue moves it to its
/// dead-letter queue, where a person finds it.
///
/// Source: *Amazon SQS API reference*, the JSON protocol.
public struct SQSQueue: ObjectNotifications {
  public let location: String
  private let client: AWSClient
  private let place: S3Location
  private let logger: Logger

  /// Opens the queue at `url`, such as `https://sqs.eu-west-1.amazonaws.com/123456789012/raw`.
  ///
  /// - Parameter place: the lake whose objects are of interest.
  public init(
    url: String, place: S3Location, environment: AWSEnvironment, logger: Logger
  ) throws {
    guard let parts = URLComponents(string: url), let host = parts.host,
      parts.path.split(separator: "/").count >= 1, ["http", "https"].contains(parts.scheme),
      Endpoint.isPort(parts.port)
    else {
      throw ObjectStoreError(
        .misconfigured,
        "\(url) is not a queue: give its URL, as 'aws sqs get-queue-url --queue-name NAME' prints it"
      )
    }
    location = url
    self.place = place
    self.logger = logger
    // sqs.eu-west-1.amazonaws.com
    let region = host.firstMatch(of: /^sqs\.([a-z0-9-]+)\.amazonaws\.com/).map { String($0.1) }
    let given = Endpoint(scheme: parts.scheme ?? "https", host: host, port: parts.port)
    client = AWSClient(
      endpoint: try asStoreSettings { try environment.customEndpoint("sqs") } ?? given,
      region: region ?? environment.region ?? "us-east-1", service: "sqs",
      credentials: environment.credentials, authorities: environment.authorities)
  }

  public func receive() async throws -> [ObjectNotification] {
    struct Input: Encodable {
      let queueUrl: String
      let maxNumberOfMessages = 10
      let waitTimeSeconds = 20
    }
    struct Output: Decodable {
      struct Message: Decodable {
        let messageId: String?
        let receiptHandle: String
        let body: String
      }
      let messages: [Message]?
    }
    let output: Output = try await call("ReceiveMessage", Input(queueUrl: location))
    var found: [ObjectNotification] = []
    for message in output.messages ?? [] {
      guard let keys = S3EventMessage.keys(in: message.body, at: place) else {
        logger.warning(
          "a message that is none of S3 is left in the queue",
          metadata: ["queue": "\(location)", "message": "\(message.messageId ?? "?")"])
        continue
      }
      found.append(ObjectNotification(receipt: message.receiptHandle, keys: keys))
    }
    return found
  }

  public func visibility() async throws -> Duration {
    struct Input: Encodable {
      let queueUrl: String
      let attributeNames = ["VisibilityTimeout"]
    }
    struct Output: Decodable {
      let attributes: [String: String]?
    }
    let output: Output = try await call("GetQueueAttributes", Input(queueUrl: location))
    return .seconds(output.attributes?["VisibilityTimeout"].flatMap { Int($0) } ?? 30)
  }

  public func extend(
    _ notifications: [ObjectNotification], by visibility: Duration
  ) async throws {
    struct Input: Encodable {
      struct Entry: Encodable {
        let id: String
        let receiptHandle: String
        let visibilityTimeout: Int
      }
      let queueUrl: String
      let entries: [Entry]
    }
    try await forEachTen(notifications) { entries in
      let seconds = Int(visibility / .seconds(1))
      let _: Ignored = try await call(
        "ChangeMessageVisibilityBatch",
        Input(
          queueUrl: location,
          entries: entries.map {
            .init(id: $0.id, receiptHandle: $0.receipt, visibilityTimeout: seconds)
          }))
    }
  }

  public func acknowledge(_ notifications: [ObjectNotification]) async throws {
    struct Input: Encodable {
      struct Entry: Encodable {
        let id: String
        let receiptHandle: String
      }
      let queueUrl: String
      let entries: [Entry]
    }
    // One that fails comes again, and is acknowledged then.
    try await forEachTen(notifications) { entries in
      let _: Ignored = try await call(
        "DeleteMessageBatch",
        Input(
          queueUrl: location,
          entries: entries.map { .init(id: $0.id, receiptHandle: $0.receipt) }))
    }
  }

  // MARK: -

  private struct Ignored: Decodable {}

  /// Batches have ten entries at most.
  private func forEachTen(
    _ notifications: [ObjectNotification],
    _ body: ([(id: String, receipt: String)]) async throws -> Void
  ) async throws {
    for start in stride(from: 0, to: notifications.count, by: 10) {
      let slice = notifications[start..<min(start + 10, notifications.count)]
      try await body(slice.enumerated().map { (String($0), $1.receipt) })
    }
  }

  private func call<Output: Decodable>(
    _ operation: String, _ input: some Encodable
  ) async throws -> Output {
    try await asStore {
      try await client.callJSON(
        target: "AmazonSQS.\(operation)", version: "1.0", input, action: "sqs:\(operation)",
        resource: location)
    }
  }
}
