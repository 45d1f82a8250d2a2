/// Bytes that grow at the end and keep their room when emptied.
///
/// Always has `ByteScan.padding` bytes of room past its capacity, so that block copies into it and
/// scans over it need no checks of their own.
struct ByteBuffer: ~Copyable {
  private(set) var start: UnsafeMutablePointer<UInt8>
  private(set) var capacity: Int
  var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    start = .allocate(capacity: capacity + ByteScan.padding)
    start.initialize(repeating: 0, count: capacity + ByteScan.padding)
  }

  deinit { start.deallocate() }

  /// Makes room for `extra` more bytes.
  @inline(__always)
  mutating func reserve(_ extra: Int) {
    if count + extra > capacity { grow(to: count + extra) }
  }

  @inline(never)
  private mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger + ByteScan.padding)
    moved.update(from: start, count: count)
    (moved + count).update(repeating: 0, count: larger + ByteScan.padding - count)
    start.deallocate()
    start = moved
    capacity = larger
  }

  mutating func append(_ byte: UInt8) {
    reserve(1)
    start[count] = byte
    count += 1
  }

  mutating func append(_ source: Bytes, count size: Int) {
    reserve(size)
    (start + count).update(from: source, count: size)
    count += size
  }

  mutating func append(_ text: StaticString) {
    append(text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// Appends a number in decimal digits.
  mutating func append(decimal number: Int64) {
    reserve(20)
    if number < 0 { append(UInt8(ascii: "-")) }
    var rest = number.magnitude
    var digits = 1
    var bound: UInt64 = 10
    while rest >= bound {
      digits += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    var place = count + digits
    count = place
    repeat {
      place -= 1
      start[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
  }

  mutating func removeAll(keepingCapacity: Bool) {
    count = 0
    if !keepingCapacity { self = ByteBuffer(capacity: 64) }
  }
}
