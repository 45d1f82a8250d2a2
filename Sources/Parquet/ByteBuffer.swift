/// A growable run of raw memory, never cleared and never shrunk, that one owner reuses.
///
/// Past `capacity` lie ``slack`` more bytes, so that a loop may store whole words across the end of
/// what it means to write.
package struct ByteBuffer: ~Copyable {
  /// Bytes past the capacity that may be written and mean nothing.
  package static let slack = 64

  package private(set) var start: UnsafeMutableRawPointer
  package private(set) var capacity: Int
  /// Bytes in use.
  package var count = 0

  package init(capacity: Int = 1024) {
    self.capacity = capacity
    start = .allocate(byteCount: capacity + Self.slack, alignment: 16)
  }

  deinit { start.deallocate() }

  /// Makes room for this many bytes after `count`; earlier pointers are then void.
  @inline(__always)
  package mutating func reserve(_ extra: Int) {
    if capacity - count < extra { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    let wanted = max(capacity + capacity / 2, count + extra)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted + Self.slack, alignment: 16)
    larger.copyMemory(from: start, byteCount: count)
    start.deallocate()
    start = larger
    capacity = wanted
  }

  /// Where the next byte goes.
  package var end: UnsafeMutableRawPointer { start + count }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  package mutating func append(_ byte: UInt8) {
    reserve(1)
    end.storeBytes(of: byte, as: UInt8.self)
    count += 1
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    end.copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  /// Appends the number's bytes, least significant first.
  package mutating func append(littleEndian value: UInt32) {
    reserve(4)
    end.storeBytes(of: value.littleEndian, as: UInt32.self)
    count += 4
  }

  /// The memory as elements of a trivial type; room for `elements` of them is made.
  package mutating func elements<T: BitwiseCopyable>(
    _ elements: Int, of type: T.Type
  ) -> UnsafeMutablePointer<T> {
    count = 0
    reserve(elements * MemoryLayout<T>.stride)
    return start.bindMemory(to: type, capacity: elements)
  }
}
