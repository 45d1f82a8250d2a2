/// One nullable column of accepted rows.
///
/// The pointers are valid until the next row is added or the rows are removed.
public final class ColumnBuffer {
  /// What a column holds.
  public enum Kind: Sendable, Equatable {
    /// UTF-8.
    case string
    /// `Int64`: microseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// `Double`, finite.
    case double
    /// `Int32`.
    case int32
    /// `Int64`.
    case int64
    /// `UInt8`: 1 true, 0 false.
    case boolean
  }

  /// The rows' values, as they lie in memory. What null rows have is not to be looked at.
  public enum Content {
    /// One code a row, 0 for null, and what the codes stand for.
    case codes(UnsafePointer<UInt32>, Values)
    /// One value a row, of the kind's type.
    case values(UnsafeRawPointer)
    /// Row `r` is `bytes[offsets[r] ..< offsets[r + 1]]`, escapes undone.
    case texts(bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>)
    /// The same, with each row's length in front of it, in four bytes, least significant first.
    case prefixedTexts(bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>)
  }

  /// The values that the codes of a column stand for, from 0, which stands for null.
  public struct Values {
    /// How many codes there are, null's among them.
    public let count: Int
    /// Strings: code `c` is `bytes[offsets[c] ..< offsets[c + 1]]`.
    public let bytes: UnsafePointer<UInt8>
    public let offsets: UnsafePointer<UInt32>
    /// Other kinds: code `c` is the value whose bits are the low ones of `bits[c]`.
    public let bits: UnsafePointer<UInt64>

    init(_ table: UnsafePointer<ValueTable>) {
      count = table.pointee.count
      bytes = UnsafePointer(table.pointee.texts.start)
      offsets = UnsafePointer(table.pointee.offsets)
      bits = UnsafePointer(table.pointee.values.assumingMemoryBound(to: UInt64.self))
    }

    init(
      count: Int, bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>,
      bits: UnsafePointer<UInt64>
    ) {
      self.count = count
      self.bytes = bytes
      self.offsets = offsets
      self.bits = bits
    }
  }

  private let storage: RowStorage
  private let index: Int
  private let tables: ValueTables
  private var frozen: FrozenValues?

  init(storage: RowStorage, index: Int, tables: ValueTables) {
    self.storage = storage
    self.index = index
    self.tables = tables
  }

  private var column: UnsafeMutablePointer<RowStorage.Column> {
    storage.header.pointee.columns + index
  }

  /// The contract field's name, or `_rescued_data`.
  public var name: String { storage.names[index] }

  /// What the column holds.
  public var kind: Kind { storage.kinds[index] }

  /// Rows, null or not.
  public var count: Int { storage.header.pointee.rowCount }

  /// Rows that are null.
  public var nullCount: Int {
    let unusual = column.pointee.unusualCount
    return column.pointee.form == .sparseTexts ? count - unusual : unusual
  }

  /// One byte a row: 0 null. Nil for codes, which say it themselves.
  public var validity: UnsafePointer<UInt8>? {
    column.pointee.form == .codes ? nil : UnsafePointer(column.pointee.validity)
  }

  public var content: Content {
    let column = column
    switch column.pointee.form {
    case .codes:
      return .codes(UnsafePointer(column.pointee.codes), frozen?.values ?? values)
    case .fixed: return .values(UnsafeRawPointer(column.pointee.values))
    case .sparseTexts:
      column.pointee.endSparseRows(before: count)
      return .texts(bytes: UnsafePointer(column.pointee.bytes), offsets: offsets)
    case .texts: return .texts(bytes: UnsafePointer(column.pointee.bytes), offsets: offsets)
    case .prefixedTexts:
      return .prefixedTexts(bytes: UnsafePointer(column.pointee.bytes), offsets: offsets)
    }
  }

  /// The values of the codes as the tables have them at this moment; `frozen` has them as they were.
  private var values: Values { Values(tables.pointer + index) }

  func freeze(_ values: FrozenValues) { frozen = values }

  func thaw() { frozen = nil }

  private var offsets: UnsafePointer<UInt32> {
    UnsafePointer(column.pointee.values.assumingMemoryBound(to: UInt32.self))
  }
}

/// A copy of what codes stand for.
final class FrozenValues {
  let values: ColumnBuffer.Values
  private let memory: UnsafeMutableRawPointer

  init(_ table: UnsafePointer<ValueTable>) {
    let source = ColumnBuffer.Values(table)
    let textBytes = Int(source.offsets[source.count])
    let bitsBytes = source.count * 8
    let offsetsBytes = (source.count + 1) * 4
    memory = .allocate(
      byteCount: bitsBytes + offsetsBytes + textBytes + ByteScan.padding, alignment: 8)
    let bits = memory.bindMemory(to: UInt64.self, capacity: source.count)
    bits.update(from: source.bits, count: source.count)
    let offsets = (memory + bitsBytes).bindMemory(to: UInt32.self, capacity: source.count + 1)
    offsets.update(from: source.offsets, count: source.count + 1)
    let bytes = (memory + bitsBytes + offsetsBytes).bindMemory(to: UInt8.self, capacity: textBytes)
    bytes.update(from: source.bytes, count: textBytes)
    values = ColumnBuffer.Values(
      count: source.count, bytes: bytes, offsets: offsets, bits: bits)
  }

  deinit { memory.deallocate() }
}

/// The value tables of a decoder's fields, by their order; the id's and the timestamp's are unused.
///
/// Shared by the decoder, which fills them, and the columns, whose codes are theirs. One task uses
/// all of them.
final class ValueTables {
  let pointer: UnsafeMutablePointer<ValueTable>
  private let count: Int

  init(_ kinds: [ColumnBuffer.Kind]) {
    count = kinds.count
    pointer = .allocate(capacity: kinds.count)
    for (index, kind) in kinds.enumerated() { (pointer + index).initialize(to: ValueTable(kind)) }
  }

  deinit { pointer.deinitialize(count: count).deallocate() }
}
