import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A lake in a directory: a key is a path below `root`.
///
/// A put writes a temporary file, syncs it, links it to its key (`link` refuses to overwrite,
/// `rename` would not) and syncs every directory that changed. Symbolic links are not followed:
/// what they point to is not in the lake.
public final class DirectoryStore: ObjectStore {
  public let root: String
  public let settleTime: Duration
  private let state: Mutex<State>

  private struct State {
    /// Directories that are known to be there durably.
    var directories: Set<String> = []
    var listeners: [Int: Listener] = [:]
    var nextID = 0
  }

  private struct Listener {
    let prefix: String
    let continuation: AsyncStream<ObjectChange>.Continuation
  }

  /// Opens the directory at `root`, making it if its parent is there.
  ///
  /// - Parameter settleTime: how long a file that somebody copies in must have rested.
  public init(root: String, settleTime: Duration = .seconds(1)) throws {
    self.settleTime = settleTime
    state = Mutex(State())
    if mkdir(root, 0o755) != 0, errno != EEXIST {
      let failure = Posix.error("make", root)
      if failure.code == .notFound {
        throw ObjectStoreError(
          .notADirectory,
          "cannot make \(root): the directory above it does not exist; make it first")
      }
      throw failure
    }
    guard let resolved = realpath(root, nil) else { throw Posix.error("open", root) }
    defer { free(resolved) }
    self.root = String(cString: resolved)
    // A file where the directory should be, or a directory that may not be read, shows here.
    try Posix.syncDirectory(self.root)
    try? Posix.syncDirectory(parent(of: self.root))
  }

  public var location: String { root }

  public var concurrency: Int { 1 }

  public func localFile(_ key: ObjectKey, _ part: LocalFile.Part) async throws -> LocalFile {
    LocalFile(inPlace: path(key))
  }

  public func put(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws -> PutOutcome {
    let temporary = try writeTemporary(bytes)
    defer { unlink(temporary) }
    let outcome = try linkDurably(temporary, key)
    if outcome == .created { announce(key) }
    return outcome
  }

  public func replace(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws {
    let temporary = try writeTemporary(bytes)
    let target = path(key)
    try makeDirectory(parent(of: target))
    if rename(temporary, target) != 0 {
      let failure = Posix.error("replace", target)
      unlink(temporary)
      throw failure
    }
    try Posix.syncDirectory(parent(of: target))
    announce(key)
  }

  public func createWorkObject(_ key: ObjectKey) throws -> any ObjectWriter {
    let target = path(key)
    try makeDirectory(parent(of: target))
    return try FileWriter(path: target, directory: parent(of: target))
  }

  public func publish(_ work: ObjectKey, as key: ObjectKey) async throws {
    do {
      // The key may be taken: by these very bytes, from a publication that was cut short.
      _ = try linkDurably(path(work), key)
    } catch let failure as ObjectStoreError where failure.code == .notFound {
      guard try await info(key) != nil else { throw failure }
    }
    unlink(path(work))
    announce(key)
  }

  public func open(_ key: ObjectKey) async throws -> any ObjectReader {
    try FileReader(path: path(key), key: key)
  }

  public func info(_ key: ObjectKey) async throws -> ObjectInfo? {
    guard let status = try Posix.status(path(key)), status.isRegularFile else { return nil }
    return ObjectInfo(
      key: key, sizeBytes: Int64(status.st_size), modifiedNanos: status.modifiedNanos)
  }

  public func list(
    _ prefix: String, _ body: (ObjectInfo) async throws -> Bool
  ) async throws -> Int {
    var passedOver = 0
    _ = try await walk(
      prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix, &passedOver, body)
    return passedOver
  }

  public func delete(_ key: ObjectKey) async throws {
    if unlink(path(key)) != 0, errno != ENOENT { throw Posix.error("remove", path(key)) }
  }

  public func deleteAll(_ prefix: String) async throws {
    guard ObjectKey("\(prefix)x") != nil else {
      throw ObjectStoreError(.invalidKey, "\(prefix) is not the beginning of a key")
    }
    try removeDirectory("\(root)/\(prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix)")
  }

  public func changes(_ prefix: String) -> AsyncStream<ObjectChange> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ObjectChange.self, bufferingPolicy: .bufferingNewest(10_000))
    let id = state.withLock { state in
      state.nextID += 1
      state.listeners[state.nextID] = Listener(prefix: prefix, continuation: continuation)
      return state.nextID
    }
    let watcher = DirectoryWatcher(root: root, prefix: prefix) { continuation.yield($0) }
    continuation.onTermination = { [weak self] _ in
      watcher?.stop()
      self?.state.withLock { state in state.listeners[id] = nil }
    }
    return stream
  }

  // MARK: -

  private func path(_ key: ObjectKey) -> String { "\(root)/\(key.text)" }

  private func parent(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  private func announce(_ key: ObjectKey) {
    let continuations = state.withLock { state in
      state.listeners.values.filter { key.text.hasPrefix($0.prefix) }.map(\.continuation)
    }
    for continuation in continuations { continuation.yield(.put(key)) }
  }

  private func writeTemporary(_ bytes: UnsafeRawBufferPointer) throws -> String {
    let number = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let temporary = "\(root)/tmp/put-\(getpid())-\(UInt32.random(in: 0...UInt32.max))-\(number)"
    try makeDirectory("\(root)/tmp")
    let writer = try FileWriter(path: temporary)
    do {
      try writer.write(bytes)
      try writer.close()
    } catch {
      unlink(temporary)
      throw error
    }
    return temporary
  }

  private func linkDurably(_ source: String, _ key: ObjectKey) throws -> PutOutcome {
    let target = path(key)
    let directory = parent(of: target)
    try makeDirectory(directory)
    var outcome = PutOutcome.created
    if link(source, target) != 0 {
      guard errno == EEXIST else { throw Posix.error("store", target) }
      outcome = .exists
    }
    // Also where it was there: whoever linked it may have died before its name was durable.
    try Posix.syncDirectory(directory)
    return outcome
  }

  /// Makes a directory and those above it durably.
  private func makeDirectory(_ path: String) throws {
    if path.utf8.count <= root.utf8.count || state.withLock({ $0.directories.contains(path) }) {
      return
    }
    let above = parent(of: path)
    try makeDirectory(above)
    if mkdir(path, 0o755) != 0 {
      guard errno == EEXIST else { throw Posix.error("make", path) }
      guard try Posix.status(path)?.isDirectory == true else {
        throw ObjectStoreError(
          .notADirectory, "\(path) is not a directory, and must be one; move it aside")
      }
    }
    // Once in this process: whoever made it may have died before its name was durable.
    try Posix.syncDirectory(above)
    state.withLock { state in
      // Bounded: a day has 24 directories of raw objects.
      if state.directories.count > 10_000 { state.directories.removeAll() }
      state.directories.insert(path)
    }
  }

  /// Removes a directory and what is below it, links themselves and not what they point to.
  private func removeDirectory(_ path: String) throws {
    state.withLock { state in state.directories = state.directories.filter { !$0.hasPrefix(path) } }
    guard let directory = opendir(path) else {
      if errno == ENOENT { return }
      throw Posix.error("list", path)
    }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name, name != ".", name != ".." else { continue }
      if isDirectory {
        try removeDirectory("\(path)/\(name)")
      } else if unlink("\(path)/\(name)") != 0, errno != ENOENT {
        throw Posix.error("remove", "\(path)/\(name)")
      }
    }
    if rmdir(path) != 0, errno != ENOENT { throw Posix.error("remove", path) }
  }

  /// Walks a directory in byte order of the keys; false once `body` wants no more.
  private func walk(
    _ relative: String, _ passedOver: inout Int, _ body: (ObjectInfo) async throws -> Bool
  ) async throws -> Bool {
    guard let entries = try entries(relative) else { return true }
    passedOver += entries.nameless
    for name in entries.names {
      let text = relative.isEmpty ? name.text : "\(relative)/\(name.text)"
      guard let key = ObjectKey(text) else {
        passedOver += 1
        continue
      }
      guard let status = try Posix.status(path(key)) else { continue }
      if status.isDirectory {
        guard try await walk(text, &passedOver, body) else { return false }
      } else if status.isRegularFile {
        let info = ObjectInfo(
          key: key, sizeBytes: Int64(status.st_size), modifiedNanos: status.modifiedNanos)
        guard try await body(info) else { return false }
      } else {
        passedOver += 1
      }
    }
    return true
  }

  private struct Name {
    let text: String
    /// What the name sorts by: a directory's keys go on with `/`.
    let sortKey: [UInt8]
  }

  /// The names in a directory in the order of the keys below it, and how many entries have none
  /// that could be part of a key; nil if it is not there.
  private func entries(_ relative: String) throws -> (names: [Name], nameless: Int)? {
    let path = relative.isEmpty ? root : "\(root)/\(relative)"
    guard let directory = opendir(path) else {
      if errno == ENOENT { return nil }
      throw Posix.error("list", path)
    }
    defer { closedir(directory) }
    var names: [Name] = []
    var nameless = 0
    while let entry = readdir(directory) {
      let isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name else {
        nameless += 1  // It is not UTF-8.
        continue
      }
      if name == "." || name == ".." { continue }
      names.append(Name(text: name, sortKey: Array(name.utf8) + (isDirectory ? [0x2F] : [])))
    }
    names.sort { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }
    return (names, nameless)
  }
}
