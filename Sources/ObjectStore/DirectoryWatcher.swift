#if canImport(Glibc)
  import Glibc

  /// Tells of files that appear or change below a directory, by inotify, on a thread of its own.
  ///
  /// Directories that appear are watched from then on; what they held before that is told as
  /// touched, so nothing falls between.
  final class DirectoryWatcher: Sendable {
    private let wake: Int32

    /// Nil where the system grants no watch: then only listings find what others write.
    init?(root: String, prefix: String, tell: @escaping @Sendable (ObjectChange) -> Void) {
      let inotify = inotify_init1(Int32(IN_CLOEXEC))
      guard inotify >= 0 else { return nil }
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else {
        close(inotify)
        return nil
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      wake = ends[1]
      let loop = WatchLoop(
        inotify: inotify, wake: ends[0], root: root,
        prefix: prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix, tell: tell)
      // The watches stand before init returns, so no later change is missed.
      loop.watchPrefix()
      var thread = pthread_t()
      let context = Unmanaged.passRetained(loop).toOpaque()
      let failed = pthread_create(
        &thread, nil,
        { context in
          Unmanaged<WatchLoop>.fromOpaque(context!).takeRetainedValue().run()
          return nil
        }, context)
      if failed != 0 {
        Unmanaged<WatchLoop>.fromOpaque(context).release()
        close(wake)
        return nil
      }
      pthread_detach(thread)
    }

    /// Ends the thread: it sees the other end of its pipe close.
    func stop() { close(wake) }
  }

  /// The state of the watching thread, which alone uses it once it runs.
  private final class WatchLoop {
    private let inotify: Int32
    private let wake: Int32
    private let root: String
    private let prefix: String
    private let tell: @Sendable (ObjectChange) -> Void
    private var directories: [Int32: String] = [:]

    init(
      inotify: Int32, wake: Int32, root: String, prefix: String,
      tell: @escaping @Sendable (ObjectChange) -> Void
    ) {
      self.inotify = inotify
      self.wake = wake
      self.root = root
      self.prefix = prefix
      self.tell = tell
    }

    deinit {
      close(inotify)
      close(wake)
    }

    /// Watches the root, where the prefix's directory may yet appear, and what is there of it.
    func watchPrefix() {
      watch("", telling: false)
    }

    /// Whether a directory is below the prefix, or on the way to it.
    private func matters(_ directory: String) -> Bool {
      directory.isEmpty || directory == prefix || directory.hasPrefix(prefix + "/")
        || prefix.hasPrefix(directory + "/")
    }

    /// Watches a directory and all below it that matters.
    private func watch(_ relative: String, telling: Bool) {
      guard matters(relative) else { return }
      let path = relative.isEmpty ? root : "\(root)/\(relative)"
      let mask = UInt32(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW)
      let id = inotify_add_watch(inotify, path, mask)
      guard id >= 0 else {
        // No watches left (a limit of the system): listings still find everything.
        if errno == ENOSPC { tell(.overflow) }
        return
      }
      directories[id] = relative
      guard let directory = opendir(path) else { return }
      defer { closedir(directory) }
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
          tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
        }
        guard let name, name != ".", name != ".." else { continue }
        let child = relative.isEmpty ? name : "\(relative)/\(name)"
        if entry.pointee.d_type == UInt8(DT_DIR) {
          watch(child, telling: telling)
        } else if telling {
          touched(child)
        }
      }
    }

    private func touched(_ path: String) {
      if path.hasPrefix(prefix + "/"), let key = ObjectKey(path) { tell(.touched(key)) }
    }

    func run() {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
      defer { buffer.deallocate() }
      while true {
        var waiting = [
          pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
          pollfd(fd: wake, events: 0, revents: 0),
        ]
        guard poll(&waiting, 2, -1) > 0 else {
          if errno == EINTR { continue }
          return
        }
        if waiting[1].revents != 0 { return }
        let count = read(inotify, buffer.baseAddress, buffer.count)
        guard count > 0 else {
          if errno == EINTR { continue }
          return
        }
        handle(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }

    private func handle(_ events: UnsafeRawBufferPointer) {
      let headerSize = MemoryLayout<inotify_event>.size
      var at = 0
      while at + headerSize <= events.count {
        let id = events.loadUnaligned(fromByteOffset: at, as: Int32.self)
        let mask = events.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)
        let length = Int(events.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self))
        let nameBytes = events[(at + headerSize)..<(at + headerSize + length)].prefix { $0 != 0 }
        at += headerSize + length
        if mask & UInt32(IN_Q_OVERFLOW) != 0 {
          tell(.overflow)
          continue
        }
        guard let directory = directories[id],
          let name = String(validating: nameBytes, as: UTF8.self)
        else { continue }
        let child = directory.isEmpty ? name : "\(directory)/\(name)"
        if mask & UInt32(IN_ISDIR) != 0 {
          watch(child, telling: true)
        } else {
          touched(child)
        }
      }
    }
  }
#else
  /// Elsewhere listings alone find what other processes write.
  final class DirectoryWatcher: Sendable {
    init?(root: String, prefix: String, tell: @escaping @Sendable (ObjectChange) -> Void) { nil }
    func stop() {}
  }
#endif
