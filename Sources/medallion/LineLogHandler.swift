import Foundation
import Logging

/// Writes each log message as one line to stderr: `2026-11-23T17:15:30Z info loaded files=3`, or as an
/// object of JSON.
struct LineLogHandler: LogHandler {
  enum Format: String {
    case text, json
  }

  let format: Format
  var logLevel = Logger.Level.info
  var metadata = Logger.Metadata()

  init(format: Format) { self.format = format }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
    switch format {
    case .text:
      let words = pairs.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      Terminal.note("\(Date().formatted(.iso8601)) \(event.level) \(event.message)\(words)")
    case .json:
      // What every message has is named last, so that no metadata takes its place.
      let members = pairs.merging([
        "time": Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
        "level": event.level.rawValue, "message": "\(event.message)",
      ]) { $1 }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      if let line = try? encoder.encode(members) {
        Terminal.note(String(decoding: line, as: UTF8.self))
      }
    }
  }
}
