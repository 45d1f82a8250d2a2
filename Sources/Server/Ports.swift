import Foundation
import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Ports of this machine.
enum Ports {
  /// Which process listens on a TCP port, as far as this user may know: `python3 (process 1234)`.
  ///
  /// Source: proc_pid_net(5) and proc_pid_fd(5); nil where there is no such file system.
  static func holder(of port: Int) -> String? {
    let files = FileManager.default
    var sockets: Set<String> = []
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
      for line in wholeText(of: table).split(separator: "\n").dropFirst() {
        let columns = line.split(separator: " ")
        // Local address and port in hexadecimal, remote, state (0A listens), …, inode.
        guard columns.count > 9, columns[3] == "0A",
          columns[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }) == port
        else { continue }
        sockets.insert("socket:[\(columns[9])]")
      }
    }
    if sockets.isEmpty { return nil }
    for process in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(process) != nil
    {
      let directory = "/proc/\(process)/fd"
      for name in (try? files.contentsOfDirectory(atPath: directory)) ?? [] {
        guard let target = try? files.destinationOfSymbolicLink(atPath: "\(directory)/\(name)"),
          sockets.contains(target)
        else { continue }
        let name = files.contents(atPath: "/proc/\(process)/comm")
          .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
        return "\(name ?? "a program") (process \(process))"
      }
    }
    return nil
  }

  /// A file of the kernel's, which has no size and gives a page a time.
  private static func wholeText(of path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else { return "" }
    defer { try? file.close() }
    var bytes = Data()
    while let piece = try? file.read(upToCount: 1 << 16), !piece.isEmpty { bytes += piece }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first of the next ports that nobody has; nil if there is none near.
  static func free(after port: Int, host: String) -> Int? {
    (port + 1...port + 50).first { $0 <= 65_535 && isFree($0, host: host) }
  }

  private static func isFree(_ port: Int, host: String) -> Bool {
    guard let address = try? SocketAddress.makeAddressResolvingHost(host, port: port) else {
      return false
    }
    let descriptor = socket(
      address.protocol == .inet6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var yes: Int32 = 1
    setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    return address.withSockAddr { bind(descriptor, $0, socklen_t($1)) == 0 }
  }
}
