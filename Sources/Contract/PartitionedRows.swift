/// The accepted rows of a decoder: one `EventColumns` for each UTC day that has rows.
public final class PartitionedRows {
  /// Bytes that emptied days keep for the next ones at most.
  private static let mostSpareBytes = 16 << 20
  /// A power of two: so many consecutive days are found without a search.
  private static let cacheSize = 64

  private struct CacheSlot {
    var day: Int32
    var header: UnsafeMutablePointer<RowStorage.Header>
  }

  private var layout: RowLayout
  private var parts: [Int32: EventColumns] = [:]
  /// What emptied days leave for the next ones, and the bytes that are allocated for it.
  private var spare: [EventColumns] = []
  private var spareBytes = 0
  /// The last day met of each remainder, so that the common case searches nothing.
  private let cache: UnsafeMutablePointer<CacheSlot?>

  init(_ layout: RowLayout) {
    self.layout = layout
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

  /// Bytes that are allocated for rows, the room to grow and that of emptied days included. Costs a
  /// step for each day.
  public var reservedBytes: Int {
    parts.values.reduce(spareBytes) { $0 + $1.storage.reservedBytes }
  }

  /// The rows of a day, or nil if it has none.
  public subscript(day: Int32) -> EventColumns? {
    guard let columns = parts[day], columns.rowCount > 0 else { return nil }
    return columns
  }

  /// The rows of the day that has most.
  public var mostRows: Int { parts.values.reduce(0) { max($0, $1.rowCount) } }

  /// Hands a day's rows over: they stay what they are until they are given back, whatever is decoded
  /// meanwhile; but see `freeze`. Nil if the day has none.
  public func take(day: Int32) -> EventColumns? {
    self[day] == nil ? nil : detach(day)
  }

  private func detach(_ day: Int32) -> EventColumns? {
    let slot = cache + Self.slot(of: day)
    if slot.pointee?.day == day { slot.pointee = nil }
    return parts.removeValue(forKey: day)
  }

  /// Hands over all days' rows.
  public func takeAll() -> [EventColumns] { days.compactMap { take(day: $0) } }

  /// Gives rows that were taken a copy of what their codes stand for, one for all of them, so that
  /// they can be read while their decoder goes on. Cost: the values of the fields, at most a few
  /// megabytes.
  public func freeze(_ rows: [EventColumns]) {
    for field in layout.kinds.indices.dropLast() where layout.forms[field] == .codes {
      let values = FrozenValues(layout.tables.pointer + field)
      for columns in rows { columns.columns[field].freeze(values) }
    }
  }

  /// Takes back the memory of rows that were taken: nothing of them may be read afterwards.
  public func give(back columns: EventColumns) {
    // A field may have been given up while they were away.
    guard columns.storage.hasForms(layout.forms) else { return }
    if spareBytes + columns.storage.reservedBytes <= Self.mostSpareBytes || spare.isEmpty {
      columns.removeAll()
      spare.append(columns)
      spareBytes += columns.storage.reservedBytes
    }
  }

  /// Takes a day's rows away. Their memory is used again for other rows, so nothing of the
  /// `EventColumns` may be read afterwards.
  public func remove(day: Int32) {
    if let columns = detach(day) { give(back: columns) }
  }

  /// Takes all days' rows away, as `remove(day:)` does.
  public func removeAll() {
    for day in Array(parts.keys) { remove(day: day) }
  }

  /// Keeps the values of a field as they are from now on, in rows that are there and those to come.
  func spread(_ field: Int) {
    let table = layout.tables.pointer + field
    layout.forms[field] = layout.kinds[field] == .string ? .texts : .fixed
    for columns in parts.values { columns.storage.spread(field, table.pointee) }
    for columns in spare { columns.storage.spread(field, table.pointee) }
    spareBytes = spare.reduce(0) { $0 + $1.storage.reservedBytes }
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
      columns = takeSpare() ?? EventColumns(layout)
      columns.storage.header.pointee.day = day
      parts[day] = columns
    }
    let header = columns.storage.header
    if header.pointee.rowCount == header.pointee.rowCapacity { columns.storage.growRows() }
    cache[Self.slot(of: day)] = CacheSlot(day: day, header: header)
    return header
  }

  private func takeSpare() -> EventColumns? {
    guard let columns = spare.popLast() else { return nil }
    spareBytes -= columns.storage.reservedBytes
    return columns
  }

  @inline(__always)
  private static func slot(of day: Int32) -> Int {
    Int(day & Int32(cacheSize - 1))
  }
}
