public import ObjectStore

/// Counts the lines of a raw object, apart from the decoder that judges them: for `verify --deep`.
public struct RawLineCounter: Sendable {
  public let lines: Int
  /// Of what is stored, as commits name it.
  public let checksum: String

  /// Reads the object to its end. Nil if it is not there or cannot be read.
  public init?(_ key: ObjectKey, in store: any ObjectStore) async throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var feeds = 0
    var tail: [UInt8] = []
    do {
      let reader = RawObjectReader(
        try await RawObjectReader.open(key, in: store), buffer: buffer)
      var isFirstLine = true
      while try await reader.next({ piece in
        var rest = piece[...]
        while let feed = rest.firstIndex(of: 0x0A) {
          feeds += 1
          isFirstLine = false
          tail.removeAll(keepingCapacity: true)
          rest = rest[(feed + 1)...]
        }
        // Only the beginning matters: a tail that is not empty is a line.
        tail.append(contentsOf: rest.prefix(4 - min(4, tail.count)))
      }) {}
      // A byte order mark alone is no line.
      if isFirstLine, tail == [0xEF, 0xBB, 0xBF] { tail = [] }
      lines = feeds + (tail.isEmpty ? 0 : 1)
      checksum = reader.checksum
    } catch is RawObjectFault {
      return nil
    }
  }
}
