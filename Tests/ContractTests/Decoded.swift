import Contract

/// One value of a row, as the columns hold it.
enum Cell: Equatable {
  case null
  /// Bytes, since Swift strings of other bytes may be equal.
  case text([UInt8])
  case micros(Int64)
  /// Bits, so that zero and minus zero differ.
  case double(UInt64)
  case int32(Int32)
  case int64(Int64)
  case boolean(Bool)

  static func string(_ text: String) -> Cell { .text(Array(text.utf8)) }
  static func number(_ value: Double) -> Cell { .double(value.bitPattern) }
}

/// One accepted row.
struct Row: Equatable {
  var day: Int32
  var line: Int64
  var object: UInt32
  var cells: [String: Cell]
}

/// What became of an object: what the tests compare.
struct Decoded: Equatable {
  var rows: [Row] = []
  var records: [QuarantineRecord] = []
  var counts = LineCounts()

  /// Decodes `object`, cut into chunks of the given sizes (the last one repeated).
  init(
    _ object: [UInt8], chunks: [Int] = [.max], by decoder: LineDecoder, key: String = "raw/a.json"
  ) throws {
    decoder.begin(sourceObject: key, objectIndex: 7)
    object.withUnsafeBytes { bytes in
      var start = 0
      var index = 0
      while start < bytes.count {
        let size = min(chunks[min(index, chunks.count - 1)], bytes.count - start)
        // A chunk of its own, so that a read past its end does not find the bytes that follow.
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        chunk.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
        decoder.decode(UnsafeRawBufferPointer(chunk))
        chunk.deallocate()
        start += size
        index += 1
      }
    }
    counts = decoder.finish()
    rows = Self.takeRows(of: decoder)
    records = try Self.takeRecords(of: decoder)
  }

  /// All rows, by day and in their order; they are removed.
  static func takeRows(of decoder: LineDecoder) -> [Row] {
    var rows: [Row] = []
    for day in decoder.partitions.days {
      guard let columns = decoder.partitions[day] else { continue }
      for row in 0..<columns.rowCount {
        var cells: [String: Cell] = [:]
        for column in columns.columns { cells[column.name] = cell(column, row) }
        rows.append(
          Row(
            day: day, line: columns.lineNumbers[row], object: columns.objectIndexes[row],
            cells: cells))
      }
      decoder.partitions.remove(day: day)
    }
    return rows
  }

  /// All quarantine records; they are removed.
  static func takeRecords(of decoder: LineDecoder) throws -> [QuarantineRecord] {
    let lines = decoder.quarantine.bytes.split(separator: UInt8(ascii: "\n"))
    let records = try lines.map { try QuarantineRecord(parsing: Array($0)) }
    decoder.quarantine.removeAll()
    return records
  }

  private static func cell(_ column: ColumnBuffer, _ row: Int) -> Cell {
    guard column.validity[row] == 1 else { return .null }
    switch column.kind {
    case .string:
      let range = Int(column.offsets[row])..<Int(column.offsets[row + 1])
      return .text(range.map { column.bytes[$0] })
    case .timestamp: return .micros(column.values.load(fromByteOffset: row * 8, as: Int64.self))
    case .double: return .number(column.values.load(fromByteOffset: row * 8, as: Double.self))
    case .int32: return .int32(column.values.load(fromByteOffset: row * 4, as: Int32.self))
    case .int64: return .int64(column.values.load(fromByteOffset: row * 8, as: Int64.self))
    case .boolean: return .boolean(column.values.load(fromByteOffset: row, as: UInt8.self) == 1)
    }
  }
}

extension LineDecoder {
  /// The verdict of one line, whatever object it comes from.
  func verdict(_ line: some Collection<UInt8>) -> Verdict {
    Array(line).withUnsafeBytes { decodeLine($0, lineNumber: 1, byteOffset: 0) }
  }
}

/// A line that is accepted, with other members put after the required ones.
func event(_ members: String = "", id: String = "e", ts: String = "2026-11-20T00:00:00Z") -> String
{
  "{\"event_id\":\"\(id)\",\"ts\":\"\(ts)\"\(members.isEmpty ? "" : ",")\(members)}"
}
