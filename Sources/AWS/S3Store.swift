import Flow
import Foundation
import NIOCore
import NIOHTTP1
public import ObjectStore
import Synchronization

/// A lake in a bucket: a key is an object's key behind the location's prefix.
///
/// Work objects are uploaded below `tmp/` when they are finished, and published by a copy inside
/// the bucket. Whole objects appear at once, so nothing has to rest.
///
/// Source: *Amazon S3 API reference*; conditional writes in the S3 user guide.
public final class S3Store: ObjectStore {
  /// Larger objects are sent, and copied, in parts.
  package static let partBytes = 8 << 20
  /// What S3 copies at once.
  private static let mostCopiedBytes: Int64 = 5 << 30
  private static let copyPartBytes = 256 << 20
  static let partsAtOnce = 4
  /// What is in memory on its way, of all objects together: so many pieces of a part's size.
  private let pieces = Turns(atOnce: 8)

  let bucket: S3Bucket
  private let place: S3Location
  private let scratch: ScratchDirectory
  private let state = Mutex(State())

  private struct State {
    var listeners: [Int: (prefix: String, continuation: AsyncStream<ObjectChange>.Continuation)] =
      [:]
    var nextID = 0
  }

  /// Opens a place in S3. Nothing is asked of the server.
  ///
  /// - Parameter scratch: a directory of this host for what is on its way.
  public init(
    _ location: S3Location, environment: AWSEnvironment, scratch: String
  ) throws {
    place = location
    bucket = try asStoreSettings { try S3Bucket(location, environment) }
    self.scratch = ScratchDirectory(below: scratch)
  }

  public var location: String { place.text }
  public var settleTime: Duration { .zero }
  public var concurrency: Int { 16 }

  public func put(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws -> PutOutcome {
    let body = Payload(ByteBuffer(bytes: bytes))
    let outcome = try await asStore { () async throws -> PutOutcome in
      var request = putRequest(key, body)
      request.headers.append(Self.unlessThere)
      switch try await bucket.sendConditionally(request) {
      case .done(let response):
        try await response.discard()
        return .created
      case .refused(afterTries: false):
        return .exists
      case .refused(afterTries: true):
        // It may have been this very put, whose answer was lost: then it is there as it was sent.
        return try await holds(key, body.bytes) ? .created : .exists
      }
    }
    if outcome == .created { announce(key) }
    return outcome
  }

  public func replace(_ bytes: UnsafeRawBufferPointer, at key: ObjectKey) async throws {
    let body = Payload(ByteBuffer(bytes: bytes))
    try await asStore { try await bucket.send(putRequest(key, body)).discard() }
    announce(key)
  }

  public func createWorkObject(_ key: ObjectKey) throws -> any ObjectWriter {
    S3Writer(store: self, key: key, spool: try scratch.spool())
  }

  public func publish(_ work: ObjectKey, as key: ObjectKey) async throws {
    try await asStore {
      do {
        try await copy(work, to: key)
      } catch let failure as AWSError where failure.code == .conflict {
        // Published before, by whomever: these very bytes.
      } catch let failure as AWSError where failure.code == .notFound {
        // So it was, and the work is gone already.
        guard try await head(key) != nil else {
          throw AWSError(.notFound, "\(location)/\(work) does not exist")
        }
      }
      try await remove(work)
    }
    announce(key)
  }

  public func open(_ key: ObjectKey) async throws -> any ObjectReader {
    try await asStore { try await S3Reader(key, remoteKey: remote(key), bucket: bucket) }
  }

  public func info(_ key: ObjectKey) async throws -> ObjectInfo? {
    try await asStore { try await head(key) }
  }

  public func list(
    _ prefix: String, _ body: (ObjectInfo) async throws -> Bool
  ) async throws -> Int {
    var passedOver = 0
    var token: String?
    repeat {
      let page = try await asStore { try await self.page(prefix, after: token) }
      passedOver += page.passedOver
      for object in page.objects {
        guard try await body(object) else { return passedOver }
      }
      token = page.next
    } while token != nil
    return passedOver
  }

  public func delete(_ key: ObjectKey) async throws {
    try await asStore { try await remove(key) }
  }

  public func deleteAll(_ prefix: String) async throws {
    guard ObjectKey("\(prefix)x") != nil else {
      throw ObjectStoreError(.invalidKey, "\(prefix) is not the beginning of a key")
    }
    var keys: [ObjectKey] = []
    try await list(prefix) { object in
      keys.append(object.key)
      return true
    }
    try await Concurrently.forEach(keys, atOnce: concurrency) { try await self.delete($0) }
  }

  /// Only what this process puts; what others put, a queue or a listing tells.
  public func changes(_ prefix: String) -> AsyncStream<ObjectChange> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ObjectChange.self, bufferingPolicy: .bufferingNewest(10_000))
    let id = state.withLock { state in
      state.nextID += 1
      state.listeners[state.nextID] = (prefix, continuation)
      return state.nextID
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { state in state.listeners[id] = nil }
    }
    return stream
  }

  public func localFile(_ key: ObjectKey, _ part: LocalFile.Part) async throws -> LocalFile {
    let path = try scratch.newPath(suffix: String(key.name))
    let file = LocalFile(copyAt: path)
    switch part {
    case .whole:
      let reader = try await open(key)
      let spool = try Spool(path: path)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
      defer { buffer.deallocate() }
      while true {
        let count = try await reader.read(into: buffer)
        if count == 0 { break }
        try spool.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
      guard try await reader.isUnchanged() else {
        throw ObjectStoreError(.io, "\(key) changed while it was read")
      }
    case .parquetFooter:
      try await asStore { try await copyFooter(key, to: try Spool(path: path)) }
    }
    return file
  }

  // MARK: -

  func remote(_ key: ObjectKey) -> String { place.prefix + key.text }

  private func putRequest(_ key: ObjectKey, _ body: Payload) -> AWSRequest {
    bucket.request(
      "PUT", remote(key), action: "s3:PutObject",
      headers: [
        ("content-type", Self.contentType(key)),
        ("x-amz-checksum-crc64nvme", body.checksum),
      ], body: body)
  }

  /// The condition that makes a write one that overwrites nothing.
  private static let unlessThere = (name: "if-none-match", value: "*")

  /// For people who look into the bucket.
  static func contentType(_ key: ObjectKey) -> String {
    let name = key.name
    if name.hasSuffix(".json") || name.hasSuffix(".ndjson") { return "application/x-ndjson" }
    if name.hasSuffix(".gz") { return "application/gzip" }
    if name.hasSuffix(".csv") { return "text/csv" }
    if name.hasSuffix(".parquet") { return "application/vnd.apache.parquet" }
    return "application/octet-stream"
  }

  /// Stores what was spooled under `key`: in one piece, or in parts of which nothing is left
  /// unless all arrive.
  func upload(_ spool: Spool, as key: ObjectKey) async throws {
    try await asStore {
      if spool.count <= Self.partBytes {
        return try await pieces.withTurn {
          let body = Payload(try spool.read(0..<spool.count))
          try await bucket.send(putRequest(key, body)).discard()
        }
      }
      // Ten thousand parts at most.
      let length = max(Self.partBytes, (spool.count + 9_999) / 10_000)
      try await inParts(
        key, size: spool.count, partBytes: length,
        headers: [
          ("content-type", Self.contentType(key)), ("x-amz-checksum-algorithm", "CRC64NVME"),
          ("x-amz-checksum-type", "FULL_OBJECT"),
        ]
      ) { [bucket, pieces, remoteKey = remote(key)] query, range in
        try await pieces.withTurn {
          let body = Payload(try spool.read(range))
          let response = try await bucket.send(
            bucket.request(
              "PUT", remoteKey, action: "s3:PutObject", query: query,
              headers: [("x-amz-checksum-crc64nvme", body.checksum)], body: body))
          try await response.discard()
          return response.headers.first(name: "etag") ?? ""
        }
      }
    }
  }

  private func copy(_ source: ObjectKey, to key: ObjectKey) async throws {
    let from = "/\(bucket.name)/\(AWSText.encoded(remote(source), keepingSlashes: true))"
    do {
      _ = try await bucket.sendForXML(
        bucket.request(
          "PUT", remote(key), action: "s3:PutObject",
          headers: [("x-amz-copy-source", from), Self.unlessThere]))
      return
    } catch let failure as AWSError where failure.code == .refused {
      guard let size = try await head(source)?.sizeBytes, size > Self.mostCopiedBytes else {
        throw failure
      }
      try await copyInParts(from, to: key, sizeBytes: size)
    }
  }

  private func copyInParts(_ from: String, to key: ObjectKey, sizeBytes: Int64) async throws {
    try await inParts(
      key, size: Int(sizeBytes),
      partBytes: max(Self.copyPartBytes, Int(sizeBytes + 9_999) / 10_000),
      headers: [("content-type", Self.contentType(key))], condition: [Self.unlessThere]
    ) { [bucket, remoteKey = remote(key)] query, range in
      let reply = try await bucket.sendForXML(
        bucket.request(
          "PUT", remoteKey, action: "s3:PutObject", query: query,
          headers: [
            ("x-amz-copy-source", from),
            ("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
          ]))
      return reply.text("ETag") ?? ""
    }
  }

  /// Makes an object of parts, some at once; after an error the parts are given up.
  ///
  /// - Parameter send: stores the part with these query items, and returns its ETag.
  private func inParts(
    _ key: ObjectKey, size: Int, partBytes: Int, headers: [(name: String, value: String)],
    condition: [(name: String, value: String)] = [],
    send:
      @escaping @Sendable (_ query: [(name: String, value: String)], Range<Int>) async throws
      -> String
  ) async throws {
    let begun = try await bucket.sendForXML(
      bucket.request(
        "POST", remote(key), action: "s3:PutObject", query: [("uploads", "")], headers: headers))
    guard let upload = begun.text("UploadId") else {
      throw bucket.notS3
    }
    let starts = Array(stride(from: 0, to: size, by: partBytes))
    do {
      let tags = Mutex([String](repeating: "", count: starts.count))
      try await Concurrently.forEach(Array(starts.indices), atOnce: Self.partsAtOnce) { index in
        let range = starts[index]..<min(starts[index] + partBytes, size)
        let tag = try await send(
          [("partNumber", String(index + 1)), ("uploadId", upload)], range)
        tags.withLock { $0[index] = tag }
      }
      let parts = tags.withLock { $0 }.enumerated().map { index, tag in
        "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
      }
      let body = Payload(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())</CompleteMultipartUpload>"
      )
      do {
        _ = try await bucket.sendForXML(
          bucket.request(
            "POST", remote(key), action: "s3:PutObject", query: [("uploadId", upload)],
            headers: condition, body: body))
      } catch let failure as AWSError where [.notFound, .refused].contains(failure.code) {
        // Completed by a try whose answer was lost, if the object is there: servers name the upload
        // or its parts as missing then.
        guard try await head(key)?.sizeBytes == Int64(size) else { throw failure }
      }
    } catch {
      let request = bucket.request(
        "DELETE", remote(key), action: "s3:AbortMultipartUpload", query: [("uploadId", upload)])
      // Also where this task was cancelled: parts cost money until somebody removes them.
      let bucket = bucket
      await Task { _ = try? await bucket.send(request).discard() }.value
      throw error
    }
  }

  private func head(_ key: ObjectKey) async throws -> ObjectInfo? {
    do {
      let response = try await bucket.send(
        bucket.request("HEAD", remote(key), action: "s3:GetObject"))
      try await response.discard()
      return ObjectInfo(key, response.headers)
    } catch let failure as AWSError where failure.code == .notFound {
      return nil
    }
  }

  private func holds(_ key: ObjectKey, _ bytes: ByteBuffer) async throws -> Bool {
    guard try await head(key)?.sizeBytes == Int64(bytes.readableBytes) else { return false }
    return try await range(key, 0..<bytes.readableBytes) == bytes
  }

  private func remove(_ key: ObjectKey) async throws {
    do {
      try await bucket.send(
        bucket.request("DELETE", remote(key), action: "s3:DeleteObject")
      ).discard()
    } catch let failure as AWSError where failure.code == .notFound {}
  }

  private func page(
    _ prefix: String, after token: String?
  ) async throws -> (objects: [ObjectInfo], passedOver: Int, next: String?) {
    var query = [
      (name: "encoding-type", value: "url"), ("list-type", "2"),
      ("prefix", place.prefix + prefix),
    ]
    if let token { query.append(("continuation-token", token)) }
    let tree = try await bucket.sendForXML(
      bucket.request("GET", action: "s3:ListBucket", query: query))
    guard tree.name == "ListBucketResult" else {
      throw bucket.notS3
    }
    let isEncoded = tree.text("EncodingType") == "url"
    var objects: [ObjectInfo] = []
    var passedOver = 0
    for entry in tree.all("Contents") {
      guard let name = entry.text("Key"),
        let decoded = isEncoded ? AWSText.decoded(name) : name, decoded.hasPrefix(place.prefix)
      else {
        passedOver += 1
        continue
      }
      // What consoles make to show a folder.
      if decoded.hasSuffix("/"), entry.text("Size") == "0" { continue }
      guard let key = ObjectKey(String(decoded.dropFirst(place.prefix.count))),
        let size = entry.text("Size").flatMap({ Int64($0) })
      else {
        passedOver += 1
        continue
      }
      let modified = entry.text("LastModified").flatMap(Timestamps.parse)
      objects.append(
        ObjectInfo(
          key: key, sizeBytes: size,
          // Whole seconds: the header that tells it elsewhere has no more.
          modifiedNanos: Int64(modified?.timeIntervalSince1970.rounded(.down) ?? 0) * 1_000_000_000
        ))
    }
    let next = tree.text("IsTruncated") == "true" ? tree.text("NextContinuationToken") : nil
    return (objects, passedOver, next)
  }

  /// Of a Parquet file only what its readers look at first: its end, with the file's own length.
  private func copyFooter(_ key: ObjectKey, to spool: Spool) async throws {
    var (tail, size) = try await end(of: key, upTo: 64 << 10)
    var from = size - tail.readableBytes
    if tail.readableBytes >= 8 {
      let length: UInt32 =
        tail.getInteger(at: tail.writerIndex - 8, endianness: .little) ?? 0
      let needed = size - 8 - Int(length)
      if needed < from, needed >= 0 {
        from = needed
        tail = try await range(key, from..<size)
      }
    }
    try "PAR1".utf8.withContiguousStorageIfAvailable {
      try spool.write(UnsafeRawBufferPointer($0), at: 0)
    }
    try tail.withUnsafeReadableBytes { try spool.write($0, at: from) }
  }

  /// The last bytes of an object, and its size.
  private func end(
    of key: ObjectKey, upTo count: Int
  ) async throws -> (bytes: ByteBuffer, size: Int) {
    let (headers, bytes) = try await bucket.sendForBytes(
      bucket.request(
        "GET", remote(key), action: "s3:GetObject", headers: [("range", "bytes=-\(count)")]),
      upTo: count)
    // `bytes 34465-99999/100000`; a whole object needs none.
    let size = headers.first(name: "content-range")?.split(separator: "/").last
      .flatMap { Int($0) }
    let length = size ?? bytes.readableBytes
    guard bytes.readableBytes == min(count, length) else {
      throw AWSError(.unavailable, "\(bucket.server) sent too little of \(key)")
    }
    return (bytes, length)
  }

  private func range(_ key: ObjectKey, _ range: Range<Int>) async throws -> ByteBuffer {
    if range.isEmpty { return ByteBuffer() }
    let (_, bytes) = try await bucket.sendForBytes(
      bucket.request(
        "GET", remote(key), action: "s3:GetObject",
        headers: [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]),
      upTo: range.count)
    guard bytes.readableBytes == range.count else {
      throw AWSError(.unavailable, "\(bucket.server) sent too little of \(key)")
    }
    return bytes
  }

  /// Hands on that somebody else put an object.
  public func hint(_ key: ObjectKey) { tell(.touched(key), of: key) }

  private func announce(_ key: ObjectKey) { tell(.put(key), of: key) }

  private func tell(_ change: ObjectChange, of key: ObjectKey) {
    let continuations = state.withLock { state in
      state.listeners.values.filter { key.text.hasPrefix($0.prefix) }.map(\.continuation)
    }
    for continuation in continuations { continuation.yield(change) }
  }
}
