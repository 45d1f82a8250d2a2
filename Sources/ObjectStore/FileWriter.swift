#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes one new file, front to back, through a buffer.
///
/// Not sendable: one task writes it.
final class FileWriter: ObjectWriter {
  private let path: String
  /// Where its name must be durable when it is finished; nil for a file that gets another name.
  private let directory: String?
  private var descriptor: Int32
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var filled = 0

  init(path: String, directory: String? = nil) throws {
    self.path = path
    self.directory = directory
    descriptor = try Posix.open(path, O_WRONLY | O_CREAT | O_TRUNC)
  }

  deinit {
    if descriptor >= 0 { Self.closeFile(descriptor) }
    buffer.deallocate()
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    if filled + bytes.count > buffer.count { try flush() }
    if bytes.count >= buffer.count {
      try Posix.writeAll(descriptor, bytes, path)
    } else {
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: bytes)
      filled += bytes.count
    }
  }

  func finish() async throws {
    try close()
    if let directory { try Posix.syncDirectory(directory) }
  }

  /// Makes the content durable.
  func close() throws {
    try flush()
    try Posix.sync(descriptor, path)
    let closing = descriptor
    descriptor = -1
    if Self.closeFile(closing) != 0, errno != EINTR { throw Posix.error("close", path) }
  }

  @discardableResult
  private static func closeFile(_ descriptor: Int32) -> Int32 {
    #if canImport(Glibc)
      Glibc.close(descriptor)
    #else
      Darwin.close(descriptor)
    #endif
  }

  private func flush() throws {
    try Posix.writeAll(descriptor, UnsafeRawBufferPointer(rebasing: buffer[..<filled]), path)
    filled = 0
  }
}
