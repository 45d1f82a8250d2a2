#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory that grows as the C library lets it: large pieces keep their pages and get more, so that
/// nothing is copied and no page is touched for the first time twice.
///
/// For trivial types, aligned to 16 bytes. It has to be freed here.
enum GrowingMemory {
  static func allocate(bytes: Int) -> UnsafeMutableRawPointer { checked(malloc(bytes), bytes) }

  static func allocate<Element: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<Element> {
    allocate(bytes: count * MemoryLayout<Element>.stride)
      .bindMemory(to: Element.self, capacity: count)
  }

  /// Makes room for so many bytes; what is there stays, perhaps elsewhere.
  static func grow(_ memory: inout UnsafeMutableRawPointer, toBytes bytes: Int) {
    memory = checked(realloc(memory, bytes), bytes)
  }

  static func grow<Element: BitwiseCopyable>(
    _ elements: inout UnsafeMutablePointer<Element>, to count: Int
  ) {
    var memory = UnsafeMutableRawPointer(elements)
    grow(&memory, toBytes: count * MemoryLayout<Element>.stride)
    elements = memory.bindMemory(to: Element.self, capacity: count)
  }

  static func deallocate(_ memory: UnsafeMutableRawPointer) { free(memory) }

  private static func checked(
    _ memory: UnsafeMutableRawPointer?, _ bytes: Int
  ) -> UnsafeMutableRawPointer {
    // As Swift's own arrays do: rows are bounded, and a process that gets no memory for them has
    // nothing left to do it with. What it was at is done anew by the next start.
    guard let memory else { fatalError("no memory for \(bytes) bytes of rows") }
    return memory
  }
}
