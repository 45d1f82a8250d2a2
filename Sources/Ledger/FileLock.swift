import Lake

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An advisory lock on a file, held while this value lives. The system lets go of it when the
/// process dies, however it dies.
public final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock if nobody has it; nil if somebody does.
  public static func tryAcquire(_ path: String) throws -> FileLock? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw LakeError(
        .unsupportedPlace, "cannot open the lock file \(path): \(String(cString: strerror(errno)))")
    }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let reason = errno
      close(descriptor)
      if reason == EWOULDBLOCK { return nil }
      throw LakeError(
        .unsupportedPlace,
        "cannot lock \(path): \(String(cString: strerror(reason))); put --state on a local disk")
    }
    return FileLock(descriptor: descriptor)
  }

  /// Takes the lock, waiting for whoever has it: only where it is held for moments.
  public static func acquire(_ path: String) throws -> FileLock {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw LakeError(
        .unsupportedPlace, "cannot open the lock file \(path): \(String(cString: strerror(errno)))")
    }
    while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    return FileLock(descriptor: descriptor)
  }

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Leaves a word in the file for whoever finds it locked.
  public func note(_ text: String) {
    ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  /// The word that the holder left.
  public static func note(at path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
