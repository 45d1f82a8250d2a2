#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads one file front to back.
///
/// Not sendable: one task reads it.
final class FileReader: ObjectReader {
  let info: ObjectInfo
  private let path: String
  private let descriptor: Int32

  init(path: String, key: ObjectKey) throws {
    self.path = path
    descriptor = try Posix.open(path, O_RDONLY | O_NOFOLLOW)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.isRegularFile else {
      close(descriptor)
      throw ObjectStoreError(.notFound, "\(path) is not a file")
    }
    info = ObjectInfo(
      key: key, sizeBytes: Int64(status.st_size), modifiedNanos: status.modifiedNanos)
  }

  deinit { close(descriptor) }

  func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
    while true {
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      #else
        let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 { return count }
      if errno != EINTR { throw Posix.error("read", path) }
    }
  }

  func isUnchanged() async throws -> Bool {
    guard let status = try Posix.status(path) else { return false }
    return Int64(status.st_size) == info.sizeBytes && status.modifiedNanos == info.modifiedNanos
  }
}
