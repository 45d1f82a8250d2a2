/// Elements on the heap, exactly as many as given, so that a tool for memory errors sees a read
/// past them.
final class Memory<T: BitwiseCopyable> {
  let buffer: UnsafeMutableBufferPointer<T>

  init(_ elements: [T]) {
    buffer = .allocate(capacity: elements.count)
    _ = buffer.initialize(from: elements)
  }

  deinit { buffer.deallocate() }

  /// The first element; also of no elements, as an address that may not be read.
  var pointer: UnsafePointer<T> {
    UnsafePointer(buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: 64)!)
  }
}
