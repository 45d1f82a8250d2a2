/// The accepted rows of one UTC day, column by column, in the order in which they were decoded.
public final class EventColumns {
  /// The name of the last column: the members that found no place in the others, or null.
  public static let rescuedDataName = "_rescued_data"

  /// The contract's fields in its order, then `_rescued_data` (string).
  public let columns: [ColumnBuffer]
  let storage: RowStorage

  init(_ layout: RowLayout) {
    let storage = RowStorage(names: layout.names, kinds: layout.kinds, forms: layout.forms)
    self.storage = storage
    columns = layout.kinds.indices.map {
      ColumnBuffer(storage: storage, index: $0, tables: layout.tables)
    }
  }

  /// The UTC day of every row's timestamp, counted from 1970-01-01.
  public var day: Int32 { storage.header.pointee.day }

  /// How many rows there are.
  public var rowCount: Int { storage.header.pointee.rowCount }

  /// Bytes that the rows take: at least what an empty day reserves.
  public var sizeBytes: Int { storage.sizeBytes }

  /// For each row the object it came from, as the caller of `LineDecoder.begin` numbered it. Valid
  /// until the next row is added or the rows are removed.
  public var objectIndexes: UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(start: storage.header.pointee.objectIndexes, count: rowCount)
  }

  /// For each row its line in that object, counted from 1. Valid until the next row is added or
  /// the rows are removed.
  public var lineNumbers: UnsafeBufferPointer<Int64> {
    UnsafeBufferPointer(start: storage.header.pointee.lineNumbers, count: rowCount)
  }

  /// Forgets the rows and keeps their memory for rows of the same day. To give it to another day,
  /// see `PartitionedRows.remove(day:)`.
  public func removeAll() {
    for column in columns { column.thaw() }
    storage.removeAll()
  }
}

/// The columns of a decoder's rows, and how a new day keeps them.
struct RowLayout {
  let names: [String]
  let kinds: [ColumnBuffer.Kind]
  let tables: ValueTables
  var forms: [RowStorage.Form]

  init(_ contract: EventContract) {
    let fields = contract.fields
    names = fields.map(\.name) + [EventColumns.rescuedDataName]
    kinds = fields.map(\.type.kind) + [.string]
    tables = ValueTables(fields.map(\.type.kind))
    forms = Array(repeating: .codes, count: fields.count) + [.sparseTexts]
    // Ids are all different, and so are most instants.
    forms[contract.idIndex] = .prefixedTexts
    forms[contract.timestampIndex] = .fixed
  }
}
