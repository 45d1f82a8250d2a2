/// Comma-separated text read as RFC 4180 has it, with LF or CRLF between records.
enum CSVText {
  /// The fields of one record and the 1-based line on which it begins.
  struct Record {
    var fields: [String]
    var line: Int
  }

  /// Splits a text into its records; lines with nothing on them are none.
  ///
  /// - Throws: ``SimulatorError`` with the code `invalid_catalogue` for a quote in the wrong place.
  static func records(of text: String) throws(SimulatorError) -> [Record] {
    var reader = Reader(bytes: Array(text.utf8))
    var records: [Record] = []
    while let record = try reader.next() {
      if record.fields != [""] { records.append(record) }
    }
    return records
  }
}

private struct Reader {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1

  init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  mutating func next() throws(SimulatorError) -> CSVText.Record? {
    guard position < bytes.count else { return nil }
    var record = CSVText.Record(fields: [], line: line)
    while true {
      record.fields.append(try field())
      guard position < bytes.count else { return record }
      let separator = bytes[position]
      position += 1
      if separator == UInt8(ascii: "\n") {
        line += 1
        return record
      }
    }
  }

  /// One field; the position then stands on the comma or line feed after it, or at the end.
  private mutating func field() throws(SimulatorError) -> String {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      let start = position
      while position < bytes.count, !isSeparator(bytes[position]) { position += 1 }
      var end = position
      if end > start, bytes[end - 1] == UInt8(ascii: "\r"), isAtLineEnd { end -= 1 }
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }
    let firstLine = line
    var value: [UInt8] = []
    position += 1
    while true {
      guard position < bytes.count else {
        throw SimulatorError(.invalidCatalogue, "a quoted field has no end", line: firstLine)
      }
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard position < bytes.count, bytes[position] == byte else { break }
        position += 1
      } else if byte == UInt8(ascii: "\n") {
        line += 1
      }
      value.append(byte)
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
    guard position == bytes.count || isSeparator(bytes[position]) else {
      throw SimulatorError(.invalidCatalogue, "text follows a closing quote", line: line)
    }
    return String(decoding: value, as: UTF8.self)
  }

  private var isAtLineEnd: Bool {
    position == bytes.count || bytes[position] == UInt8(ascii: "\n")
  }

  private func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n")
  }
}
