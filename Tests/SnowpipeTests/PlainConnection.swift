import Foundation
import TestSupport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A connection that sends what a client of HTTP would not.
final class PlainConnection {
  private let descriptor: Int32

  init(port: Int) throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Corpus.Unreadable(what: String(cString: strerror(errno))) }
  }

  deinit { close(descriptor) }

  /// False once the other side has closed.
  func send(_ text: String) -> Bool {
    Array(text.utf8).withUnsafeBytes {
      #if canImport(Glibc)
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
      #else
        Darwin.send(descriptor, $0.baseAddress, $0.count, 0) == $0.count
      #endif
    }
  }

  /// Whether the other side closes, or says something, before so much time has passed.
  func hasEnded(within time: Duration) -> Bool {
    var looked = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&looked, 1, Int32(time / .milliseconds(1))) > 0
  }

  /// What comes until the other side closes.
  func readToEnd() -> String { read(upTo: nil) }

  /// What comes up to some text, or until the other side closes.
  func read(upTo end: String?) -> String {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += buffer[..<count]
      let sofar = String(decoding: text, as: UTF8.self)
      if let end, sofar.hasSuffix(end) { return sofar }
    }
  }
}
