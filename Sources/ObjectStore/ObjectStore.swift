import Flow

/// Where a lake's objects live: the port that the directory store implements, and other backends
/// can.
///
/// Every write is durable when it returns: a power loss after it does not undo it.
public protocol ObjectStore: Sendable {
  /// How a person would name it, for messages: a directory's path or a bucket's URL.
  var location: String { get }

  /// How long an object that somebody else wrote must have rested before it counts as whole.
  /// Zero where objects appear all at once.
  var settleTime: Duration { get }

  /// How many requests at once are worth making; 1 where each is quick.
  var concurrency: Int { get }

  /// Stores `bytes` under `key` unless an object is there already, whole or not at all.
  func put(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws -> PutOutcome

  /// Stores `bytes` under `key`, in place of what is there: readers see the old or the new, never
  /// a mixture. Only for pointers; everything else in a lake is written once.
  func replace(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws

  /// Begins an object under `key` (below `tmp/`) that nobody else reads before it is published.
  func createWorkObject(_ key: ObjectKey) throws -> any ObjectWriter

  /// Gives the finished work object `work` its final key, where it appears whole. Doing so again
  /// is harmless. Throws `notFound` if neither is there.
  func publish(_ work: ObjectKey, as key: ObjectKey) async throws

  /// Opens an object for reading from its start.
  func open(_ key: ObjectKey) async throws -> any ObjectReader

  /// What a listing would say of this key; nil if there is no such object.
  func info(_ key: ObjectKey) async throws -> ObjectInfo?

  /// The objects whose keys begin with `prefix` (which ends with `/`), page by page, until `body`
  /// returns false: in byte order of the keys, but for servers in place of S3 that have another.
  ///
  /// Returns how many entries it passed over on the way, because they are no objects: symbolic
  /// links, and files whose names cannot be keys.
  @discardableResult
  func list(_ prefix: String, _ body: (ObjectInfo) async throws -> Bool) async throws -> Int

  /// Removes an object; no error if it is not there.
  func delete(_ key: ObjectKey) async throws

  /// Removes everything whose key begins with `prefix` (which ends with `/`).
  func deleteAll(_ prefix: String) async throws

  /// Hints of changes below `prefix` from now on, until the iterating task ends.
  func changes(_ prefix: String) -> AsyncStream<ObjectChange>

  /// An object as a file, for the warehouse to read.
  func localFile(_ key: ObjectKey, _ part: LocalFile.Part) async throws -> LocalFile
}

/// What a put-if-absent did.
public enum PutOutcome: Sendable {
  case created
  /// An object had this key already; nothing was changed.
  case exists
}

/// One object being read, front to back.
public protocol ObjectReader: AnyObject {
  /// The object as it was when it was opened.
  var info: ObjectInfo { get }

  /// Fills the front of `buffer`; the number of bytes is 0 only at the end of the object.
  func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int

  /// True if the object still is what `info` says.
  func isUnchanged() async throws -> Bool
}

/// One work object being written.
public protocol ObjectWriter: AnyObject {
  func write(_ bytes: UnsafeRawBufferPointer) throws

  /// Makes what was written durable, and its name. Without it nothing was stored.
  func finish() async throws
}

extension ObjectStore {
  public func put(_ bytes: [UInt8], at key: ObjectKey) async throws -> PutOutcome {
    // A pointer must not be held across a suspension, so the bytes move to memory of their own.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    return try await put(UnsafeRawBufferPointer(buffer), at: key)
  }

  public func replace(_ bytes: [UInt8], at key: ObjectKey) async throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try await replace(UnsafeRawBufferPointer(buffer), at: key)
  }

  /// What a listing would say of these keys; those without an object are left out.
  public func infos(_ keys: some Collection<ObjectKey>) async throws -> [ObjectInfo] {
    try await Concurrently.map(Array(keys), atOnce: concurrency) { try await info($0) }
      .compactMap(\.self)
  }

  /// A whole object, for the small ones.
  public func read(_ key: ObjectKey) async throws -> [UInt8] {
    let reader = try await open(key)
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try await reader.read(into: buffer)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  /// The lines of an object, each without its line feed; what follows the last one is a line if it
  /// is not empty. Holds one line and a small buffer in memory.
  public func forEachLine(
    of key: ObjectKey, _ body: ([UInt8]) async throws -> Void
  ) async throws {
    let reader = try await open(key)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var line: [UInt8] = []
    while true {
      let count = try await reader.read(into: buffer)
      if count == 0 { break }
      var rest = buffer[..<count]
      while let feed = rest.firstIndex(of: UInt8(ascii: "\n")) {
        line.append(contentsOf: rest[..<feed])
        try await body(line)
        line.removeAll(keepingCapacity: true)
        rest = rest[(feed + 1)...]
      }
      line.append(contentsOf: rest)
    }
    if !line.isEmpty { try await body(line) }
  }
}
