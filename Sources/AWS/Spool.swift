import Foundation
import NIOCore
import ObjectStore
import Synchronization

/// A file of this host that an object passes through on its way to or from S3.
///
/// Sendable: after it was written it is only read, at places that the reader names.
final class Spool: Sendable {
  private let path: String
  private let descriptor: Int32
  private let written = Atomic(0)

  /// - Parameter isNamed: false removes the name at once, so that nothing is left after a crash.
  init(path: String, isNamed: Bool = true) throws {
    self.path = path
    descriptor = try Posix.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    if !isNamed { unlink(path) }
  }

  deinit { close(descriptor) }

  var count: Int { written.load(ordering: .relaxed) }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try Posix.writeAll(descriptor, bytes, path)
    written.wrappingAdd(bytes.count, ordering: .relaxed)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    guard pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) == bytes.count else {
      throw Posix.error("write", path)
    }
  }

  func read(_ range: Range<Int>) throws -> ByteBuffer {
    var buffer = ByteBuffer()
    try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { bytes in
      var done = 0
      while done < range.count {
        let count = pread(
          descriptor, bytes.baseAddress! + done, range.count - done,
          off_t(range.lowerBound + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw Posix.error("read", path) }
        done += count
      }
      return done
    }
    return buffer
  }
}

/// Gathers one work object on this host, and sends it when it is finished.
///
/// Not sendable: one task writes.
final class S3Writer: ObjectWriter {
  private let store: S3Store
  private let key: ObjectKey
  private let spool: Spool
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var filled = 0

  init(store: S3Store, key: ObjectKey, spool: Spool) {
    self.store = store
    self.key = key
    self.spool = spool
  }

  deinit { buffer.deallocate() }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    if filled + bytes.count > buffer.count { try flush() }
    if bytes.count >= buffer.count {
      try spool.append(bytes)
    } else {
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: bytes)
      filled += bytes.count
    }
  }

  func finish() async throws {
    try flush()
    try await store.upload(spool, as: key)
  }

  private func flush() throws {
    if filled > 0 { try spool.append(UnsafeRawBufferPointer(rebasing: buffer[..<filled])) }
    filled = 0
  }
}
