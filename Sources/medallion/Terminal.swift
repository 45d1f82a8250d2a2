import Foundation
import Synchronization

/// What a person sees on stderr: messages, and below them one line that is rewritten in place where
/// stderr is a terminal.
enum Terminal {
  private static let progress = Mutex("")

  static let isInteractive = isatty(STDERR_FILENO) == 1

  /// Writes a line, above the progress line.
  static func note(_ line: String) {
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
