/// The memory of one day's rows, column by column; what `EventColumns` and `ColumnBuffer` show.
///
/// The hot path works on the trivial structs behind `header`, by pointer: no reference is counted
/// and no exclusivity is checked for a row. Sound, since this class alone allocates and frees what
/// they point to, each growth keeps the rows, and `EventColumns` and `ColumnBuffer` keep it alive.
final class RowStorage {
  /// How a column keeps its values.
  enum Form {
    /// A code of the field's `ValueTable` a row; 0 is null.
    case codes
    /// A value of the kind's width a row.
    case fixed
    /// An offset a row into bytes.
    case texts
    /// As texts, but each behind its length in four bytes, as Parquet's PLAIN has them.
    case prefixedTexts
    /// As texts, for a column that is mostly null: null rows are not touched.
    case sparseTexts

    var rowBytes: Int {
      switch self {
      case .codes: 4
      case .fixed: 9
      case .texts, .prefixedTexts, .sparseTexts: 5
      }
    }

    var hasBytes: Bool {
      switch self {
      case .codes, .fixed: false
      case .texts, .prefixedTexts, .sparseTexts: true
      }
    }
  }

  /// One column. All columns of a storage have one row count and one row capacity.
  struct Column {
    var form: Form
    /// `codes`: one a row.
    var codes: UnsafeMutablePointer<UInt32>
    /// One byte a row: 1 present, 0 null. Set to what is usual, so that only the others are written.
    var validity: UnsafeMutablePointer<UInt8>
    /// `fixed`: one value a row. Texts: where each begins, and after the last one the end.
    var values: UnsafeMutableRawPointer
    /// Texts: the bytes of all rows.
    var bytes: UnsafeMutablePointer<UInt8>
    var byteCount = 0
    var byteCapacity = 0
    /// Rows that are not as usual: nulls, or in a sparse column those that are present.
    var unusualCount = 0
    /// `sparseTexts`: how many rows have their end in `values`.
    var endedRows = 0
  }

  struct Header {
    var rowCount = 0
    var rowCapacity = 0
    /// Bytes in all columns of texts.
    var textBytes = 0
    var day: Int32 = 0
    var columns: UnsafeMutablePointer<Column>
    var objectIndexes: UnsafeMutablePointer<UInt32>
    var lineNumbers: UnsafeMutablePointer<Int64>

    /// Makes what was set in the columns a row, of that line of that object.
    ///
    /// - Parameter textBytes: the bytes that were added to columns of texts.
    @inline(__always)
    mutating func endRow(object: UInt32, line: Int64, textBytes: Int) {
      objectIndexes[rowCount] = object
      lineNumbers[rowCount] = line
      self.textBytes &+= textBytes
      rowCount &+= 1
    }
  }

  private static let firstRowCapacity = 32
  private static let firstByteCapacity = 512

  let names: [String]
  let kinds: [ColumnBuffer.Kind]
  let header: UnsafeMutablePointer<Header>

  init(names: [String], kinds: [ColumnBuffer.Kind], forms: [Form]) {
    self.names = names
    self.kinds = kinds
    let capacity = Self.firstRowCapacity
    header = .allocate(capacity: 1)
    header.initialize(
      to: Header(
        rowCapacity: capacity, columns: .allocate(capacity: kinds.count),
        objectIndexes: GrowingMemory.allocate(capacity),
        lineNumbers: GrowingMemory.allocate(capacity)))
    for (index, form) in forms.enumerated() {
      (header.pointee.columns + index).initialize(to: Self.column(form, capacity: capacity))
    }
  }

  deinit {
    for index in kinds.indices { Self.deallocate(header.pointee.columns[index]) }
    header.pointee.columns.deallocate()
    GrowingMemory.deallocate(header.pointee.objectIndexes)
    GrowingMemory.deallocate(header.pointee.lineNumbers)
    header.deallocate()
  }

  /// Bytes that are allocated, whether rows use them or not.
  var reservedBytes: Int {
    var sum = rowBytes * header.pointee.rowCapacity
    for index in kinds.indices { sum += header.pointee.columns[index].byteCapacity }
    return sum
  }

  /// Bytes that the rows take: at least what a storage takes before it has one.
  var sizeBytes: Int {
    let texts = kinds.indices.count { header.pointee.columns[$0].form.hasBytes }
    return max(
      texts * (Self.firstByteCapacity + ByteScan.padding) + rowBytes * Self.firstRowCapacity,
      rowBytes * header.pointee.rowCount + header.pointee.textBytes)
  }

  /// Bytes that one row takes apart from its texts.
  private var rowBytes: Int {
    kinds.indices.reduce(MemoryLayout<UInt32>.size + MemoryLayout<Int64>.size) {
      $0 + header.pointee.columns[$1].form.rowBytes
    }
  }

  /// Whether the columns keep their values in these ways.
  func hasForms(_ forms: [Form]) -> Bool {
    kinds.indices.allSatisfy { header.pointee.columns[$0].form == forms[$0] }
  }

  /// Forgets all rows and keeps the room.
  func removeAll() {
    let rows = header.pointee.rowCount
    header.pointee.rowCount = 0
    header.pointee.textBytes = 0
    for index in kinds.indices {
      let column = header.pointee.columns + index
      column.pointee.byteCount = 0
      column.pointee.endedRows = 0
      guard column.pointee.unusualCount > 0 else { continue }
      column.pointee.unusualCount = 0
      if column.pointee.form != .codes {
        column.pointee.validity.update(repeating: column.pointee.usualValidity, count: rows)
      }
    }
  }

  /// Doubles the row capacity.
  @inline(never)
  func growRows() {
    let rows = header.pointee.rowCount
    let capacity = header.pointee.rowCapacity * 2
    GrowingMemory.grow(&header.pointee.objectIndexes, to: capacity)
    GrowingMemory.grow(&header.pointee.lineNumbers, to: capacity)
    for index in kinds.indices {
      let column = header.pointee.columns + index
      if column.pointee.form == .codes {
        GrowingMemory.grow(&column.pointee.codes, to: capacity)
        continue
      }
      GrowingMemory.grow(&column.pointee.validity, to: capacity)
      (column.pointee.validity + rows).update(
        repeating: column.pointee.usualValidity, count: capacity - rows)
      let width = column.pointee.form.hasBytes ? 4 : 8
      GrowingMemory.grow(&column.pointee.values, toBytes: (capacity + 1) * width)
    }
    header.pointee.rowCapacity = capacity
  }

  /// Turns a column of codes into one of the values that they stand for.
  func spread(_ index: Int, _ table: borrowing ValueTable) {
    let column = header.pointee.columns + index
    guard column.pointee.form == .codes else { return }
    let kind = kinds[index]
    let coded = column.pointee
    column.pointee = Self.column(
      kind == .string ? .texts : .fixed, capacity: header.pointee.rowCapacity)
    for row in 0..<header.pointee.rowCount {
      let code = Int(coded.codes[row])
      guard code > 0 else {
        column.pointee.setNull(row, kind)
        continue
      }
      if kind == .string {
        let start = Int(table.offsets[code])
        let length = Int(table.offsets[code + 1]) - start
        column.pointee.room(for: length).update(
          from: Bytes(table.texts.start) + start, count: length)
        column.pointee.setText(length, row)
        header.pointee.textBytes += length
      } else {
        let bits = table.values.load(fromByteOffset: code * 8, as: UInt64.self)
        column.pointee.set(bits: bits, row, kind)
      }
    }
    Self.deallocate(coded)
  }

  private static func column(_ form: Form, capacity: Int) -> Column {
    let isCoded = form == .codes
    let byteCapacity = form.hasBytes ? firstByteCapacity : 0
    let column = Column(
      form: form, codes: GrowingMemory.allocate(isCoded ? capacity : 1),
      validity: GrowingMemory.allocate(isCoded ? 1 : capacity),
      values: GrowingMemory.allocate(bytes: isCoded ? 8 : (capacity + 1) * 8),
      bytes: GrowingMemory.allocate(byteCapacity + ByteScan.padding), byteCapacity: byteCapacity)
    column.validity.initialize(repeating: column.usualValidity, count: isCoded ? 1 : capacity)
    column.values.storeBytes(of: 0, as: UInt64.self)
    return column
  }

  private static func deallocate(_ column: Column) {
    GrowingMemory.deallocate(column.codes)
    GrowingMemory.deallocate(column.validity)
    GrowingMemory.deallocate(column.values)
    GrowingMemory.deallocate(column.bytes)
  }
}

extension RowStorage.Column {
  /// What `validity` holds for a row that nothing was said of.
  var usualValidity: UInt8 { form == .sparseTexts ? 0 : 1 }

  /// Makes the value of `row` null. A slot exists all the same: a zero, or an empty text.
  @inline(__always)
  mutating func setNull(_ row: Int, _ kind: ColumnBuffer.Kind) {
    switch form {
    case .codes:
      codes[row] = 0
      unusualCount &+= 1
    case .sparseTexts: break
    case .fixed:
      validity[row] = 0
      unusualCount &+= 1
      set(bits: 0, row, kind)
    case .texts, .prefixedTexts:
      validity[row] = 0
      unusualCount &+= 1
      endText(row)
    }
  }

  /// Sets the value of `row`, of a fixed column of that width.
  @inline(__always)
  mutating func set<Value: BitwiseCopyable>(_ value: Value, _ row: Int) {
    values.storeBytes(of: value, toByteOffset: row &* MemoryLayout<Value>.stride, as: Value.self)
  }

  /// Sets the value of `row` by its bits, as a `ValueTable` keeps them.
  @inline(__always)
  mutating func set(bits: UInt64, _ row: Int, _ kind: ColumnBuffer.Kind) {
    switch kind {
    case .timestamp, .int64, .double, .string: set(bits, row)
    case .int32: set(UInt32(truncatingIfNeeded: bits), row)
    case .boolean: set(UInt8(truncatingIfNeeded: bits), row)
    }
  }

  /// Room for `count` bytes at the end of the texts, to be filled before `setText`.
  @inline(__always)
  mutating func room(for count: Int) -> UnsafeMutablePointer<UInt8> {
    if byteCount &+ count > byteCapacity { growBytes(to: byteCount + count) }
    return bytes + byteCount
  }

  /// Makes the `count` bytes that were put into `room(for:)` the value of `row`.
  @inline(__always)
  mutating func setText(_ count: Int, _ row: Int) {
    if form == .sparseTexts {
      endSparseRows(before: row)
      validity[row] = 1
      unusualCount &+= 1
      endedRows = row &+ 1
    }
    byteCount &+= count
    endText(row)
  }

  /// Makes a text the value of `row`; returns the bytes added.
  @inline(__always)
  mutating func append(_ text: Bytes, _ count: Int, _ row: Int) -> Int {
    ByteScan.copy(text, count, to: room(for: count))
    setText(count, row)
    return count
  }

  /// The same with the text's length in front of it.
  @inline(__always)
  mutating func append(prefixed text: Bytes, _ count: Int, _ row: Int) -> Int {
    let target = room(for: count &+ 4)
    UnsafeMutableRawPointer(target).storeBytes(
      of: UInt32(truncatingIfNeeded: count).littleEndian, as: UInt32.self)
    ByteScan.copy(text, count, to: target + 4)
    setText(count &+ 4, row)
    return count &+ 4
  }

  /// Gives the null rows of a sparse column before `row` their ends.
  mutating func endSparseRows(before row: Int) {
    while endedRows < row {
      endText(endedRows)
      endedRows += 1
    }
  }

  @inline(__always)
  private func endText(_ row: Int) {
    values.storeBytes(
      of: UInt32(truncatingIfNeeded: byteCount), toByteOffset: (row &+ 1) &* 4, as: UInt32.self)
  }

  @inline(never)
  private mutating func growBytes(to needed: Int) {
    precondition(
      needed <= Int(UInt32.max), "a column holds less than 4 GiB: take its rows away sooner")
    byteCapacity = max(needed, byteCapacity * 2)
    GrowingMemory.grow(&bytes, to: byteCapacity + ByteScan.padding)
  }
}
