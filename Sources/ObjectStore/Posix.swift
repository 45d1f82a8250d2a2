#if canImport(Glibc)
  package import Glibc
#else
  package import Darwin
#endif

/// The few system calls of the directory store, with errors that a person can act on.
package enum Posix {
  /// Opens a file, starting over when a signal interrupts.
  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws -> Int32 {
    while true {
      #if canImport(Glibc)
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
      #else
        let descriptor = Darwin.open(path, flags | O_CLOEXEC, mode)
      #endif
      if descriptor >= 0 { return descriptor }
      if errno != EINTR { throw error("open", path) }
    }
  }

  package static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String)
    throws
  {
    var rest = bytes
    while let start = rest.baseAddress, !rest.isEmpty {
      let count = write(descriptor, start, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno != EINTR {
        throw error("write", path)
      }
    }
  }

  static func sync(_ descriptor: Int32, _ path: String) throws {
    #if canImport(Darwin)
      // There fsync stops at the drive's cache.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    while fsync(descriptor) != 0 {
      if errno != EINTR { throw error("sync", path) }
    }
  }

  /// Makes the names in a directory durable.
  static func syncDirectory(_ path: String) throws {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try sync(descriptor, path)
  }

  /// What `lstat` says: nil if there is nothing.
  static func status(_ path: String) throws -> stat? {
    var status = stat()
    if lstat(path, &status) == 0 { return status }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw error("look at", path)
  }

  package static func error(_ verb: String, _ path: String) -> ObjectStoreError {
    let number = errno
    let reason = String(cString: strerror(number))
    switch number {
    case ENOENT: return ObjectStoreError(.notFound, "\(path) does not exist")
    case ENOSPC, EDQUOT, EFBIG:
      return ObjectStoreError(.noSpace, "cannot \(verb) \(path): \(reason); free some space")
    case EACCES, EPERM, EROFS:
      return ObjectStoreError(
        .permission, "cannot \(verb) \(path): \(reason); give this user the right to it")
    case ENOTDIR, EISDIR:
      return ObjectStoreError(
        .notADirectory,
        "cannot \(verb) \(path): \(reason); move aside the file that stands where a directory must be"
      )
    // A link in place of a file is not in the store.
    case ELOOP: return ObjectStoreError(.notFound, "\(path) is a link, not an object")
    case ENAMETOOLONG, EILSEQ:
      return ObjectStoreError(.invalidKey, "cannot \(verb) \(path): \(reason)")
    default: return ObjectStoreError(.io, "cannot \(verb) \(path): \(reason)")
    }
  }
}

extension stat {
  /// The time of the last change of content, in nanoseconds since 1970-01-01 UTC.
  var modifiedNanos: Int64 {
    #if canImport(Glibc)
      Int64(st_mtim.tv_sec) * 1_000_000_000 + Int64(st_mtim.tv_nsec)
    #else
      Int64(st_mtimespec.tv_sec) * 1_000_000_000 + Int64(st_mtimespec.tv_nsec)
    #endif
  }

  var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
}
