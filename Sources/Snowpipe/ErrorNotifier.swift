import AsyncHTTPClient
import Foundation
public import Ledger
public import Logging
import NIOCore
import NIOHTTP1
public import ObjectStore
import SnowpipeREST

/// Tells of files that cannot be loaded, in the form of Snowpipe's error notifications: as a line
/// of a file, or as the body of a POST to a webhook.
///
/// A notification is kept in the ledger until it is delivered, so it arrives once at least.
public struct ErrorNotifier: Sendable {
  private enum Target: Sendable {
    case file(String)
    case webhook(String)
  }

  /// The name of the account in the notifications of a pipe that belongs to none.
  public static let localAccount = "LOCAL"

  private let target: Target

  /// - Parameter place: a file's path, or an `http` or `https` URL.
  public init(_ place: String) throws(PipeError) {
    if place.hasPrefix("http://") || place.hasPrefix("https://") {
      guard URLComponents(string: place)?.host?.isEmpty == false else {
        throw PipeError(.badNotification, "the URL for error notifications names no host")
      }
      target = .webhook(place)
    } else {
      guard !place.isEmpty, !place.contains("://") else {
        throw PipeError(
          .badNotification, "error notifications go to a file or an http(s) URL, not to '\(place)'")
      }
      target = .file((place as NSString).expandingTildeInPath)
    }
  }

  private struct Body: Encodable {
    struct Message: Encodable {
      let fileName: String
      let firstError: String
    }

    let version = "1.0"
    let messageId: String
    let messageType = "INGEST_FAILED_FILE"
    let timestamp: String
    let accountName = ErrorNotifier.localAccount
    let pipeName: String
    let tableName = "RETAIL.RAW.RAW_PURCHASES_STAGING"
    let stageLocation: String
    let messages: [Message]
  }

  /// - Parameters:
  ///   - stage: where the pipe's stage is.
  ///   - at: in milliseconds since 1970.
  func notification(
    of key: ObjectKey, error: String, stage: String, at: Int64
  ) throws -> (id: String, body: String) {
    let id = UUID().uuidString.lowercased()
    let body = Body(
      messageId: id, timestamp: EmbeddedPipe.text(at), pipeName: EmbeddedPipe.name.canonical,
      stageLocation: stage,
      messages: [.init(fileName: EmbeddedPipe.path(of: key), firstError: error)])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (id, String(decoding: try encoder.encode(body), as: UTF8.self))
  }

  /// Delivers what waits. What cannot be delivered goes on waiting, and holds up nothing else.
  func deliver(from ledger: Ledger, logger: Logger) async {
    do {
      let waiting = try ledger.pipeNotifications()
      if waiting.isEmpty { return }
      switch target {
      case .file(let path):
        for (id, body) in waiting {
          try Self.append(body, to: path)
          try ledger.removePipeNotification(id)
        }
      case .webhook(let url):
        try await SnowpipeClient.withHTTPClient { http in
          for (id, body) in waiting {
            try await Self.post(body, to: url, http)
            try ledger.removePipeNotification(id)
          }
        }
      }
    } catch {
      // Never the URL: it may hold a secret.
      logger.warning("an error notification waits", metadata: ["reason": "\(error)"])
    }
  }

  // MARK: -

  private struct Undelivered: Error, CustomStringConvertible {
    let description: String
  }

  private static func append(_ line: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Undelivered(description: "cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data("\(line)\n".utf8))
    try file.synchronize()
  }

  private static func post(_ body: String, to url: String, _ http: HTTPClient) async throws {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(string: body))
    let response: HTTPClientResponse
    do {
      response = try await http.execute(request, timeout: .seconds(10))
    } catch {
      throw Undelivered(description: "the webhook does not answer")
    }
    guard (200...299).contains(response.status.code) else {
      throw Undelivered(description: "the webhook answers with status \(response.status.code)")
    }
  }
}
