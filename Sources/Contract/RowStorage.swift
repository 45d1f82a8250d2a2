/// The memory of one day's rows, column by column; what `EventColumns` and `ColumnBuffer` show.
///
/// The hot path works on the trivial structs behind `header`, by pointer: no reference is counted
/// and no exclusivity is checked for a row. Sound, since this class alone allocates and frees what
/// they point to, each growth keeps the rows, and `EventColumns` and `ColumnBuffer` keep it alive.
final class RowStorage {
  /// One column. All columns of a storage have one row count and one row capacity.
  struct Column {
    /// One byte a row: 1 present, 0 null.
    var validity: UnsafeMutablePointer<UInt8>
    /// One value a row, or for strings the row's offset and, after the last one, the end.
    var values: UnsafeMutableRawPointer
    /// Strings only: the bytes of all rows.
    var bytes: UnsafeMutablePointer<UInt8>
    var byteCount = 0
    var byteCapacity = 0
    var nullCount = 0
  }

  struct Header {
    var rowCount = 0
    var rowCapacity = 0
    /// Bytes in all string columns.
    var stringBytes = 0
    var day: Int32 = 0
    var columns: UnsafeMutablePointer<Column>
    var objectIndexes: UnsafeMutablePointer<UInt32>
    var lineNumbers: UnsafeMutablePointer<Int64>
  }

  private static let firstRowCapacity = 32
  private static let firstByteCapacity = 512

  let names: [String]
  let kinds: [ColumnBuffer.Kind]
  let header: UnsafeMutablePointer<Header>

  init(names: [String], kinds: [ColumnBuffer.Kind]) {
    self.names = names
    self.kinds = kinds
    let capacity = Self.firstRowCapacity
    header = .allocate(capacity: 1)
    header.initialize(
      to: Header(
        rowCapacity: capacity, columns: .allocate(capacity: kinds.count),
        objectIndexes: .allocate(capacity: capacity),
        lineNumbers: .allocate(capacity: capacity)))
    for (index, kind) in kinds.enumerated() {
      let byteCapacity = kind == .string ? Self.firstByteCapacity : 0
      (header.pointee.columns + index).initialize(
        to: Column(
          validity: .allocate(capacity: capacity),
          values: Self.values(kind, capacity: capacity),
          bytes: .allocate(capacity: byteCapacity + ByteScan.padding),
          byteCapacity: byteCapacity))
    }
    removeAll()
  }

  deinit {
    for index in kinds.indices {
      let column = header.pointee.columns[index]
      column.validity.deallocate()
      column.values.deallocate()
      column.bytes.deallocate()
    }
    header.pointee.columns.deallocate()
    header.pointee.objectIndexes.deallocate()
    header.pointee.lineNumbers.deallocate()
    header.deallocate()
  }

  /// Bytes that one row takes apart from its strings.
  static func rowBytes(_ kinds: [ColumnBuffer.Kind]) -> Int {
    kinds.reduce(MemoryLayout<UInt32>.size + MemoryLayout<Int64>.size) { $0 + 1 + $1.valueBytes }
  }

  /// Bytes that a storage takes before it has a row.
  static func emptyBytes(_ kinds: [ColumnBuffer.Kind]) -> Int {
    kinds.count { $0 == .string } * (firstByteCapacity + ByteScan.padding)
      + rowBytes(kinds) * firstRowCapacity
  }

  /// Bytes that are allocated, whether rows use them or not.
  var reservedBytes: Int {
    var sum = Self.rowBytes(kinds) * header.pointee.rowCapacity
    for index in kinds.indices { sum += header.pointee.columns[index].byteCapacity }
    return sum
  }

  /// Forgets all rows and keeps the room.
  func removeAll() {
    header.pointee.rowCount = 0
    header.pointee.stringBytes = 0
    for (index, kind) in kinds.enumerated() {
      header.pointee.columns[index].byteCount = 0
      header.pointee.columns[index].nullCount = 0
      if kind == .string {
        header.pointee.columns[index].values.storeBytes(of: 0, as: UInt32.self)
      }
    }
  }

  /// Doubles the row capacity.
  @inline(never)
  func growRows() {
    let rows = header.pointee.rowCount
    let capacity = header.pointee.rowCapacity * 2
    header.pointee.rowCapacity = capacity
    Self.move(&header.pointee.objectIndexes, count: rows, capacity: capacity)
    Self.move(&header.pointee.lineNumbers, count: rows, capacity: capacity)
    for (index, kind) in kinds.enumerated() {
      let column = header.pointee.columns + index
      Self.move(&column.pointee.validity, count: rows, capacity: capacity)
      let values = Self.values(kind, capacity: capacity)
      values.copyMemory(
        from: column.pointee.values,
        byteCount: rows * kind.valueBytes + (kind == .string ? kind.valueBytes : 0))
      column.pointee.values.deallocate()
      column.pointee.values = values
    }
  }

  private static func values(
    _ kind: ColumnBuffer.Kind, capacity: Int
  ) -> UnsafeMutableRawPointer {
    .allocate(byteCount: (capacity + 1) * kind.valueBytes, alignment: 16)
  }

  private static func move<Element: BitwiseCopyable>(
    _ elements: inout UnsafeMutablePointer<Element>, count: Int, capacity: Int
  ) {
    let moved = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    moved.update(from: elements, count: count)
    elements.deallocate()
    elements = moved
  }
}

extension RowStorage.Column {
  /// Makes the value of `row` null. A slot exists all the same: a zero, or an empty string.
  @inline(__always)
  mutating func setNull(_ row: Int, _ kind: ColumnBuffer.Kind) {
    validity[row] = 0
    nullCount += 1
    switch kind {
    case .string: endString(row)
    case .timestamp, .int64, .double: store(Int64(0), row)
    case .int32: store(Int32(0), row)
    case .boolean: store(UInt8(0), row)
    }
  }

  /// Sets the value of `row`, of a column of that width.
  @inline(__always)
  mutating func set<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
    validity[row] = 1
    store(value, row)
  }

  @inline(__always)
  private func store<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
    values.storeBytes(of: value, toByteOffset: row &* MemoryLayout<Value>.stride, as: Value.self)
  }

  /// Room for `count` bytes at the end of the strings, to be filled before `setString`.
  @inline(__always)
  mutating func room(for count: Int) -> UnsafeMutablePointer<UInt8> {
    if byteCount + count > byteCapacity { growBytes(to: byteCount + count) }
    return bytes + byteCount
  }

  /// Makes the `count` bytes that were put into `room(for:)` the value of `row`.
  @inline(__always)
  mutating func setString(_ count: Int, _ row: Int) {
    validity[row] = 1
    byteCount += count
    endString(row)
  }

  @inline(__always)
  private func endString(_ row: Int) {
    values.storeBytes(
      of: UInt32(truncatingIfNeeded: byteCount), toByteOffset: (row + 1) &* 4, as: UInt32.self)
  }

  @inline(never)
  private mutating func growBytes(to needed: Int) {
    precondition(
      needed <= Int(UInt32.max), "a column holds less than 4 GiB: take its rows away sooner")
    byteCapacity = max(needed, byteCapacity * 2)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCapacity + ByteScan.padding)
    moved.update(from: bytes, count: byteCount)
    bytes.deallocate()
    bytes = moved
  }
}
