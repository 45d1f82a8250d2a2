import Foundation
public import ObjectStore

/// A delivery stream of Firehose that takes events line by line and lands them in S3.
///
/// Source: *PutRecordBatch*, in the Amazon Data Firehose API reference.
public struct FirehoseStream: Sendable {
  static let mostRecords = 500
  /// Of a call, and of a record, before it is encoded.
  static let mostBytes = 4 << 20
  static let mostRecordBytes = 1_000 << 10

  public let name: String
  private let client: AWSClient

  public init(name: String, environment: AWSEnvironment) throws {
    self.name = name
    client = try asStoreSettings { try environment.client("firehose") }
  }

  /// Sends lines, each with its line feed. Returns when every one was taken.
  ///
  /// A call may take some and refuse others: those are sent again, after a growing pause.
  public func put(_ lines: [[UInt8]]) async throws {
    var rest = lines[...]
    while !rest.isEmpty {
      var bytes = 0
      let batch = rest.prefix(Self.mostRecords).prefix { line in
        bytes += line.count
        return bytes <= Self.mostBytes || bytes == line.count
      }
      rest = rest.dropFirst(batch.count)
      try await putBatch(Array(batch))
    }
  }

  // MARK: -

  private struct Input: Encodable {
    struct Record: Encodable {
      let data: String
    }
    let deliveryStreamName: String
    let records: [Record]
  }

  private struct Output: Decodable {
    struct Response: Decodable {
      let errorCode: String?
      let errorMessage: String?
    }
    let failedPutCount: Int
    let requestResponses: [Response]
  }

  private func putBatch(_ lines: [[UInt8]]) async throws {
    if let line = lines.first(where: { $0.count > Self.mostRecordBytes }) {
      throw ObjectStoreError(
        .invalidKey,
        "a line of \(line.count) bytes is too long for Firehose, which takes \(Self.mostRecordBytes)"
      )
    }
    var waiting = lines
    var tries = 0
    while true {
      let input = Input(
        deliveryStreamName: name,
        records: waiting.map { .init(data: Data($0).base64EncodedString()) })
      let output: Output = try await asStore {
        try await client.callJSON(
          target: "Firehose_20150804.PutRecordBatch", version: "1.1", input,
          action: "firehose:PutRecordBatch", resource: "the stream \(name)")
      }
      if output.failedPutCount == 0 { return }
      guard output.requestResponses.count == waiting.count else {
        throw ObjectStoreError(.io, "Firehose does not say which records of \(name) it took")
      }
      waiting = zip(waiting, output.requestResponses).filter { $1.errorCode != nil }.map(\.0)
      tries += 1
      if tries > 12 {
        let reason = output.requestResponses.lazy.compactMap(\.errorCode).first ?? "?"
        throw ObjectStoreError(
          .io, "the stream \(name) refuses \(waiting.count) records again and again (\(reason))")
      }
      try await Task.sleep(for: AWSClient.pause(after: tries))
    }
  }
}
