/// The accepted rows of a decoder: one `EventColumns` for each UTC day that has rows.
public final class PartitionedRows {
  /// How many emptied days keep their memory for the next ones.
  private static let mostSpare = 4
  /// A power of two: so many consecutive days are found without a search.
  private static let cacheSize = 64

  private struct CacheSlot {
    var day: Int32
    var header: UnsafeMutablePointer<RowStorage.Header>
  }

  private let names: [String]
  private let kinds: [ColumnBuffer.Kind]
  private var parts: [Int32: EventColumns] = [:]
  private var spare: [EventColumns] = []
  /// The last day met of each remainder, so that the common case searches nothing.
  private let cache: UnsafeMutablePointer<CacheSlot?>

  init(names: [String], kinds: [ColumnBuffer.Kind]) {
    self.names = names
    self.kinds = kinds
    cache = .allocate(capacity: Self.cacheSize)
    cache.initialize(repeating: nil, count: Self.cacheSize)
  }

  deinit { cache.deallocate() }

  /// The days that have rows, in their order, counted from 1970-01-01.
  public var days: [Int32] { parts.filter { $0.value.rowCount > 0 }.keys.sorted() }

  /// Rows of all days.
  public var rowCount: Int { parts.values.reduce(0) { $0 + $1.rowCount } }

  /// Bytes that the rows of all days take, a day at least what it reserves when empty; what
  /// emptied days keep for later is not in it. Costs a step for each day.
  public var sizeBytes: Int { parts.values.reduce(0) { $0 + $1.sizeBytes } }

  /// Bytes that are allocated for rows, those of emptied days included: `sizeBytes` and the room
  /// to grow, so at most about twice the largest `sizeBytes` so far. Costs a step for each day.
  public var reservedBytes: Int {
    parts.values.reduce(0) { $0 + $1.storage.reservedBytes }
      + spare.reduce(0) { $0 + $1.storage.reservedBytes }
  }

  /// The rows of a day, or nil if it has none.
  public subscript(day: Int32) -> EventColumns? {
    guard let columns = parts[day], columns.rowCount > 0 else { return nil }
    return columns
  }

  /// Takes a day's rows away. Their memory is used again for other rows, so nothing of the
  /// `EventColumns` may be read afterwards.
  public func remove(day: Int32) {
    guard let columns = parts.removeValue(forKey: day) else { return }
    let slot = cache + Self.slot(of: day)
    if slot.pointee?.day == day { slot.pointee = nil }
    if spare.count < Self.mostSpare {
      columns.removeAll()
      spare.append(columns)
    }
  }

  /// Takes all days' rows away, as `remove(day:)` does.
  public func removeAll() {
    for day in Array(parts.keys) { remove(day: day) }
  }

  /// Where a row of `day` is to be added, with room for one more.
  @inline(__always)
  func header(for day: Int32) -> UnsafeMutablePointer<RowStorage.Header> {
    if let slot = cache[Self.slot(of: day)], slot.day == day,
      slot.header.pointee.rowCount < slot.header.pointee.rowCapacity
    {
      return slot.header
    }
    return findHeader(for: day)
  }

  @inline(never)
  private func findHeader(for day: Int32) -> UnsafeMutablePointer<RowStorage.Header> {
    let columns: EventColumns
    if let known = parts[day] {
      columns = known
    } else {
      columns = spare.popLast() ?? EventColumns(names: names, kinds: kinds)
      columns.storage.header.pointee.day = day
      parts[day] = columns
    }
    let header = columns.storage.header
    if header.pointee.rowCount == header.pointee.rowCapacity { columns.storage.growRows() }
    cache[Self.slot(of: day)] = CacheSlot(day: day, header: header)
    return header
  }

  @inline(__always)
  private static func slot(of day: Int32) -> Int {
    Int(day & Int32(cacheSize - 1))
  }
}
