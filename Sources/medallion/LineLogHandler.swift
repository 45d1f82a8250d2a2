import Foundation
import Logging

/// Writes each log message as one line to stderr: `2026-11-23T17:15:30Z info loaded files=3`, or as an
/// object of JSON.
struct LineLogHandler: LogHandler {
  var logLevel = Logger.Level.info
  var metadata = Logger.Metadata()

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
    switch Terminal.format {
    case .text:
      let words = pairs.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      Terminal.note("\(Date().formatted(.iso8601)) \(event.level) \(event.message)\(words)")
    case .json:
      Terminal.tell(level: event.level.rawValue, "\(event.message)", pairs)
    }
  }
}
