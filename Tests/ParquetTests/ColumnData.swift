import Foundation
import Parquet

/// A column of a test file: its rows in memory, and what they mean.
struct ColumnData {
  enum Values {
    case int32(Memory<Int32>)
    case int64(Memory<Int64>)
    case double(Memory<Double>)
    case boolean(Memory<UInt8>)
    case strings(TextMemory)
    case codedStrings(indexes: Memory<UInt32>, TextMemory)
    case codedInt32(indexes: Memory<UInt32>, Memory<Int32>)
    case codedInt64(indexes: Memory<UInt32>, Memory<Int64>)
    case codedDouble(indexes: Memory<UInt32>, Memory<Double>)
  }

  var column: ParquetSchema.Column
  var rowCount: Int
  var values: Values
  /// A byte a row, zero for null; nil for none.
  var validity: Memory<UInt8>?

  init(
    _ column: ParquetSchema.Column, rowCount: Int, _ values: Values, validity: [UInt8]? = nil
  ) {
    self.column = column
    self.rowCount = rowCount
    self.values = values
    self.validity = validity.map(Memory.init)
  }

  /// The rows of one row group; valid as long as the data is.
  func view(_ rows: Range<Int>) -> ColumnView {
    let at = rows.lowerBound
    let values: ColumnView.Values =
      switch self.values {
      case .int32(let memory): .int32(memory.pointer + at)
      case .int64(let memory): .int64(memory.pointer + at)
      case .double(let memory): .double(memory.pointer + at)
      case .boolean(let memory): .boolean(memory.pointer + at)
      case .strings(let text):
        .strings(bytes: text.bytes.pointer, offsets: text.offsets.pointer + at)
      case .codedStrings(let indexes, let text):
        .dictionary(
          indexes: indexes.pointer + at, bytes: text.bytes.pointer, offsets: text.offsets.pointer,
          entryCount: text.count)
      case .codedInt32(let indexes, let entries):
        .int32Dictionary(
          indexes: indexes.pointer + at, entries: entries.pointer,
          entryCount: entries.buffer.count)
      case .codedInt64(let indexes, let entries):
        .int64Dictionary(
          indexes: indexes.pointer + at, entries: entries.pointer,
          entryCount: entries.buffer.count)
      case .codedDouble(let indexes, let entries):
        .doubleDictionary(
          indexes: indexes.pointer + at, entries: entries.pointer,
          entryCount: entries.buffer.count)
      }
    let nullCount = rows.count { isNull($0) }
    return ColumnView(
      values: values, validity: validity.map { $0.pointer + at }, nullCount: nullCount)
  }

  func isNull(_ row: Int) -> Bool { validity.map { $0.buffer[row] == 0 } ?? false }

  /// The raw files that `read_back.py` compares with, by the name of the part.
  func expectedFiles() -> [String: Data] {
    var files = ["valid": Data((0..<rowCount).map { isNull($0) ? 0 : 1 })]
    switch values {
    case .int32(let memory): files["values"] = data(memory.buffer)
    case .int64(let memory): files["values"] = data(memory.buffer)
    case .double(let memory): files["values"] = data(memory.buffer)
    case .boolean(let memory): files["values"] = data(memory.buffer)
    case .codedInt32(let indexes, let entries): files["values"] = decoded(indexes, entries, 0)
    case .codedInt64(let indexes, let entries): files["values"] = decoded(indexes, entries, 0)
    case .codedDouble(let indexes, let entries): files["values"] = decoded(indexes, entries, 0)
    case .strings(let text):
      files["offsets"] = data(text.offsets.buffer)
      files["bytes"] = data(text.bytes.buffer)
    case .codedStrings(let indexes, let text):
      var bytes = Data()
      var offsets: [UInt32] = [0]
      for row in 0..<rowCount {
        if !isNull(row) { bytes.append(data(text[Int(indexes.buffer[row])])) }
        offsets.append(UInt32(bytes.count))
      }
      files["offsets"] = offsets.withUnsafeBytes { Data($0) }
      files["bytes"] = bytes
    }
    return files
  }

  private func decoded<T>(_ indexes: Memory<UInt32>, _ entries: Memory<T>, _ null: T) -> Data {
    let values = (0..<rowCount).map {
      isNull($0) ? null : entries.buffer[Int(indexes.buffer[$0])]
    }
    return values.withUnsafeBytes { Data($0) }
  }

  private func data<T>(_ buffer: UnsafeMutableBufferPointer<T>) -> Data {
    Data(UnsafeRawBufferPointer(buffer))
  }

  private func data(_ bytes: UnsafeRawBufferPointer) -> Data { Data(bytes) }
}

/// Texts end to end.
final class TextMemory {
  let bytes: Memory<UInt8>
  let offsets: Memory<UInt32>

  init(_ texts: [String]) {
    var bytes: [UInt8] = []
    var offsets: [UInt32] = [0]
    for text in texts {
      bytes.append(contentsOf: text.utf8)
      offsets.append(UInt32(bytes.count))
    }
    self.bytes = Memory(bytes)
    self.offsets = Memory(offsets)
  }

  var count: Int { offsets.buffer.count - 1 }

  subscript(index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: UnsafeRawBufferPointer(bytes.buffer)[
        Int(offsets.buffer[index])..<Int(offsets.buffer[index + 1])])
  }
}
