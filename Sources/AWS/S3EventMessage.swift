import Foundation
package import ObjectStore

/// A message of S3 about objects, as a queue delivers it.
///
/// Source: *Event message structure*, in the S3 user guide, versions 2.x.
package enum S3EventMessage {
  /// The objects of `location` that a message says were created.
  ///
  /// Empty for what tells of nothing there: the test message that a new notification sends, other
  /// buckets and prefixes, objects that were removed. Nil for what is no message of S3.
  package static func keys(in body: String, at location: S3Location) -> [ObjectKey]? {
    guard let message = try? JSONDecoder().decode(Message.self, from: Data(body.utf8)) else {
      return nil
    }
    // A topic between bucket and queue puts the message into one of its own.
    if message.type == "Notification", let inner = message.message {
      return keys(in: inner, at: location)
    }
    if message.event == "s3:TestEvent" { return [] }
    guard let records = message.records else { return nil }
    var keys: [ObjectKey] = []
    for record in records {
      guard record.eventSource == "aws:s3", record.eventVersion?.hasPrefix("2.") ?? true else {
        return nil
      }
      guard
        record.eventName.hasPrefix("ObjectCreated:")
          || record.eventName.hasPrefix("s3:ObjectCreated:"),
        record.s3.bucket.name == location.bucket,
        let name = AWSText.decoded(record.s3.object.key), name.hasPrefix(location.prefix),
        let key = ObjectKey(String(name.dropFirst(location.prefix.count)))
      else { continue }
      keys.append(key)
    }
    return keys
  }

  private struct Message: Decodable {
    let records: [Record]?
    let event: String?
    let type: String?
    let message: String?

    enum CodingKeys: String, CodingKey {
      case records = "Records"
      case event = "Event"
      case type = "Type"
      case message = "Message"
    }
  }

  private struct Record: Decodable {
    let eventVersion: String?
    let eventSource: String
    let eventName: String
    let s3: Entity
  }

  private struct Entity: Decodable {
    let bucket: Bucket
    let object: Object
  }

  private struct Bucket: Decodable {
    let name: String
  }

  private struct Object: Decodable {
    let key: String
  }
}
