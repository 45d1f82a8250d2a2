import CXXHash
import ObjectStore

/// Reads a raw object once, front to back: hands on its text, unpacked where the key ends in
/// `.gz`, and takes the checksum of what is stored.
final class RawObjectReader {
  let info: ObjectInfo
  private let reader: any ObjectReader
  private let buffer: UnsafeMutableRawBufferPointer
  private let gunzip: Gunzip?
  private let hash = XXH3_createState()

  /// - Parameters:
  ///   - reader: of the object, from its start; nobody else reads from it.
  ///   - buffer: memory to read through; it stays the caller's.
  init(_ reader: any ObjectReader, buffer: UnsafeMutableRawBufferPointer) {
    self.reader = reader
    info = reader.info
    self.buffer = buffer
    gunzip = info.key.text.hasSuffix(".gz") ? Gunzip() : nil
    XXH3_64bits_reset(hash)
  }

  /// Opens an object; throws `RawObjectFault` where that cannot be done, through no fault of the
  /// store.
  static func open(_ key: ObjectKey, in store: any ObjectStore) async throws -> any ObjectReader {
    do {
      return try await store.open(key)
    } catch let failure as ObjectStoreError
      where [.notFound, .permission, .invalidKey].contains(failure.code)
    {
      throw RawObjectFault(reason: failure.code == .notFound ? .vanished : .unreadable)
    }
  }

  deinit { XXH3_freeState(hash) }

  /// Hands on the next piece of text; false at the end, after making sure that the object is
  /// still what it was when it was opened.
  func next(_ body: (UnsafeRawBufferPointer) throws -> Void) async throws -> Bool {
    if let gunzip, gunzip.hasMore {
      try gunzip.unpack(body)
      return true
    }
    let count = try await reader.read(into: buffer)
    guard count > 0 else {
      try gunzip?.finish()
      guard try await reader.isUnchanged() else { throw RawObjectFault(reason: .changed) }
      return false
    }
    let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    xxh3_update(hash, piece.baseAddress, count)
    if let gunzip {
      gunzip.give(piece)
      try gunzip.unpack(body)
    } else {
      try body(piece)
    }
    return true
  }

  /// Of what was read so far.
  var checksum: String {
    let hex = String(XXH3_64bits_digest(hash), radix: 16)
    return "xxh3:" + String(repeating: "0", count: 16 - hex.count) + hex
  }
}
