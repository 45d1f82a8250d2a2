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
    if let validity = column.validity, validity[row] == 0 { return .null }
    switch column.content {
    case .codes(let codes, let values):
      let code = Int(codes[row])
      guard code > 0 else { return .null }
      if column.kind == .string { return text(values.bytes, values.offsets, code, skipping: 0) }
      return number(UnsafeRawPointer(values.bits + code), column.kind)
    case .values(let values):
      let width =
        switch column.kind {
        case .int32: 4
        case .boolean: 1
        default: 8
        }
      return number(values + row * width, column.kind)
    case .texts(let bytes, let offsets): return text(bytes, offsets, row, skipping: 0)
    case .prefixedTexts(let bytes, let offsets): return text(bytes, offsets, row, skipping: 4)
    }
  }

  private static func text(
    _ bytes: UnsafePointer<UInt8>, _ offsets: UnsafePointer<UInt32>, _ index: Int, skipping: Int
  ) -> Cell {
    .text((Int(offsets[index]) + skipping..<Int(offsets[index + 1])).map { bytes[$0] })
  }

  private static func number(_ value: UnsafeRawPointer, _ kind: ColumnBuffer.Kind) -> Cell {
    switch kind {
    case .timestamp: .micros(value.load(as: Int64.self))
    case .double: .number(value.load(as: Double.self))
    case .int32: .int32(value.load(as: Int32.self))
    case .int64: .int64(value.load(as: Int64.self))
    case .boolean: .boolean(value.load(as: UInt8.self) == 1)
    case .string: .null
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
