import Foundation
import Synchronization

/// What a person sees on stderr: messages, and below them one line that is rewritten in place where
/// stderr is a terminal.
enum Terminal {
  /// How lines are written.
  enum Format: String {
    case text
    /// Each line is an object with `time`, `level` and `message`, the progress now and then, too.
    case json
  }

  private static let progress = Mutex("")
  private static let chosenFormat = Mutex(Format.text)

  static var format: Format {
    get { chosenFormat.withLock { $0 } }
    set { chosenFormat.withLock { $0 = newValue } }
  }

  static var isInteractive: Bool { format == .text && isatty(STDERR_FILENO) == 1 }

  /// Writes a line, above the progress line.
  static func note(_ line: String) {
    switch format {
    case .text: write(line: line)
    case .json: tell(level: "notice", line, [:])
    }
  }

  /// Writes a line of JSON.
  static func tell(level: String, _ message: String, _ pairs: [String: String]) {
    // What every message has is merged last, so that nothing takes its place.
    let members = pairs.merging([
      "time": Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
      "level": level, "message": message,
    ]) { $1 }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if let line = try? encoder.encode(members) {
      write(line: String(decoding: line, as: UTF8.self))
    }
  }

  private static func write(line: String) {
    progress.withLock { progress in
      let clear = progress.isEmpty ? "" : "\r\u{1B}[K"
      write("\(clear)\(line)\n\(progress)")
    }
  }

  /// Rewrites the progress line.
  static func show(_ line: String) {
    progress.withLock { progress in
      progress = line
      write("\r\u{1B}[K\(line)")
    }
  }

  /// Removes the progress line.
  static func clear() {
    progress.withLock { progress in
      if !progress.isEmpty { write("\r\u{1B}[K") }
      progress = ""
    }
  }

  private static func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
