import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ObjectStore

/// Reads one object front to back, and goes on where a connection broke.
///
/// What it hands on is one state of the object: the server is asked to go on with that one only.
/// Not sendable: one task reads.
final class S3Reader: ObjectReader {
  let info: ObjectInfo
  private let bucket: S3Bucket
  private let request: AWSRequest
  private let tag: String
  /// Unsafe for the compiler, which cannot see that one task at a time uses this reader.
  private nonisolated(unsafe) var chunks: HTTPClientResponse.Body.AsyncIterator
  private var chunk = ByteBuffer()
  private var position: Int64 = 0
  private var checksum: BodyChecksum?
  private var failures = 0
  private var hasChanged = false

  /// Objects up to this size are checked before any of their bytes are handed on, and asked for
  /// again where they arrive damaged. With a larger one its reader starts over.
  private static let checkedBytes: Int64 = 1 << 20

  /// Throws `AWSError.notFound` where there is no such object.
  init(_ key: ObjectKey, remoteKey: String, bucket: S3Bucket) async throws {
    self.bucket = bucket
    request = bucket.request("GET", remoteKey, action: "s3:GetObject")
    var first = request
    first.headers.append(("x-amz-checksum-mode", "ENABLED"))
    let response = try await bucket.send(first)
    guard let info = ObjectInfo(key, response.headers),
      let tag = response.headers.first(name: "etag")
    else {
      throw bucket.notS3
    }
    self.info = info
    self.tag = tag
    checksum = BodyChecksum(response.headers)
    chunks = response.body.makeAsyncIterator()
    if info.sizeBytes <= Self.checkedBytes { try await readWhole() }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
    if chunk.readableBytes == 0, try await !asStore({ try await nextChunk() }) { return 0 }
    let count = min(buffer.count, chunk.readableBytes)
    chunk.readWithUnsafeReadableBytes { bytes in
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      return count
    }
    return count
  }

  /// An object of S3 is replaced as a whole, and what was read is all of one.
  func isUnchanged() async throws -> Bool { !hasChanged }

  // MARK: -

  private func readWhole() async throws {
    var whole = ByteBuffer()
    while true {
      do {
        while try await nextChunk() { whole.writeBuffer(&chunk) }
        chunk = whole
        return
      } catch let failure as AWSError where failure.code == .corrupt && failures < 8 {
        whole.clear()
        position = 0
        if try await !resume() { return }
      }
    }
  }

  /// Gets more of the object; false at its end.
  private func nextChunk() async throws -> Bool {
    while position < info.sizeBytes {
      let next: ByteBuffer?
      do {
        next = try await chunks.next()
      } catch {
        let failure = AWSClient.unavailable(error, Endpoint(host: bucket.server))
        if failure is CancellationError { throw failure }
        next = nil
      }
      guard let next else {
        // It broke off.
        if try await !resume() { return false }
        continue
      }
      if next.readableBytes == 0 { continue }
      position += Int64(next.readableBytes)
      if position > Self.checkedBytes { failures = 0 }
      guard position <= info.sizeBytes else {
        throw AWSError(.corrupt, "\(bucket.server) sent more of \(info.key) than there is")
      }
      next.withUnsafeReadableBytes { checksum?.update($0) }
      if position == info.sizeBytes, checksum?.isRight == false {
        throw AWSError(
          .corrupt, "\(info.key) did not arrive as \(bucket.server) has it: its checksum differs")
      }
      chunk = next
      return true
    }
    // The connection is free for others once the end was seen.
    _ = try? await chunks.next()
    return false
  }

  /// Asks for the rest; false if the object is another one by now.
  private func resume() async throws -> Bool {
    failures += 1
    guard failures <= 8 else {
      throw AWSError(.unavailable, "\(bucket.server) breaks off again and again on \(info.key)")
    }
    try await Task.sleep(for: AWSClient.pause(after: failures))
    var rest = request
    if position > 0 {
      rest.headers.append(("range", "bytes=\(position)-"))
    } else {
      rest.headers.append(("x-amz-checksum-mode", "ENABLED"))
    }
    rest.headers.append(("if-match", tag))
    do {
      guard case .done(let response) = try await bucket.sendConditionally(rest) else {
        hasChanged = true
        return false
      }
      guard response.status == 206 || position == 0 else {
        throw AWSError(.unavailable, "\(bucket.server) does not go on where it broke off")
      }
      // What it should be may have been what was damaged.
      if position == 0 { checksum = BodyChecksum(response.headers) }
      chunks = response.body.makeAsyncIterator()
      return true
    } catch let failure as AWSError where failure.code == .notFound {
      hasChanged = true
      return false
    }
  }
}

extension ObjectInfo {
  /// What the headers of an object's reply say; nil where its size is not among them.
  init?(_ key: ObjectKey, _ headers: HTTPHeaders) {
    guard let size = headers.first(name: "content-length").flatMap({ Int64($0) }) else {
      return nil
    }
    let modified = headers.first(name: "last-modified").flatMap(HTTPDate.parse)
    self.init(
      key: key, sizeBytes: size,
      modifiedNanos: Int64(modified?.timeIntervalSince1970 ?? 0) * 1_000_000_000)
  }
}

extension AWSResponse {
  /// Reads the body to its end, so that the connection can be used again.
  func discard() async throws {
    for try await _ in body {}
  }

  func collect(upTo limit: Int) async throws -> ByteBuffer {
    do {
      return try await body.collect(upTo: limit)
    } catch let failure where !(failure is CancellationError) {
      throw AWSError(.unavailable, "an answer broke off")
    }
  }
}
