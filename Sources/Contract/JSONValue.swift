/// A JSON value with its members in the order of the text: for schemas and quarantine records,
/// where speed does not matter.
///
/// Strict as the decoder is, since the decoder's scanner judges the text; and stricter in that no
/// object may have two members of one name.
indirect enum JSONValue: Equatable {
  case null
  case boolean(Bool)
  /// The text of the number.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  struct Member: Equatable {
    let name: String
    let value: JSONValue
  }

  /// What is wrong with a text and where: lines and columns (in bytes) are counted from 1.
  struct Fault: Error {
    /// A predicate: "is not JSON".
    let problem: String
    let line: Int
    let column: Int
  }

  /// Reads one JSON text: RFC 8259, section 2.
  init(parsing text: some Collection<UInt8>) throws(Fault) {
    let bytes = Array(text)
    var buffer = ByteBuffer(capacity: bytes.count + 1)
    // To the scanner a line feed is the end of its text. A carriage return in its place means the
    // same everywhere: a blank between tokens, and forbidden inside a string.
    for byte in bytes {
      buffer.append(byte == ByteScan.lineFeed ? ByteScan.carriageReturn : byte)
    }
    buffer.append(ByteScan.lineFeed)
    defer { extendLifetime(buffer) }
    let start = Bytes(buffer.start)
    let end = start + bytes.count

    func fault(_ problem: String, at place: Bytes) -> Fault {
      let before = bytes.prefix(max(0, min(place - start, bytes.count)))
      let lineStart = before.lastIndex(of: ByteScan.lineFeed).map { $0 + 1 } ?? 0
      return Fault(
        problem: problem,
        line: before.count { $0 == ByteScan.lineFeed } + 1,
        column: before.count - lineStart + 1)
    }

    guard UTF8Check.isValid(from: start, to: end) else {
      throw fault("is not UTF-8", at: start)
    }
    var scanner = JSONScanner()
    let first = JSONScanner.skipBlanks(start)
    guard let last = scanner.value(first, level: 0) else {
      let problem =
        switch scanner.fault {
        case .tooDeep: "is nested more than \(JSONScanner.deepestLevel) deep"
        case .unpairedSurrogate: "has an unpaired surrogate"
        default: "is not JSON"
        }
      throw fault(problem, at: scanner.faultPlace ?? first)
    }
    let rest = JSONScanner.skipBlanks(last)
    guard rest >= end else { throw fault("goes on after its end", at: rest) }

    var reader = Reader(place: first)
    let value = reader.value()
    if let twin = reader.twin {
      throw fault("has a second member named \"\(twin.name)\"", at: twin.place)
    }
    self = value
  }

  /// Builds the values of a text that the scanner has found sound; at most 64 calls deep.
  private struct Reader {
    var place: Bytes
    var twin: (name: String, place: Bytes)?

    mutating func value() -> JSONValue {
      var scanner = JSONScanner()
      place = JSONScanner.skipBlanks(place)
      switch place.pointee {
      case UInt8(ascii: "{"):
        var members: [Member] = []
        var names: Set<[UInt8]> = []
        var more = open(until: UInt8(ascii: "}"))
        while more {
          let start = place
          let name = string()
          if !names.insert(Array(name.utf8)).inserted, twin == nil { twin = (name, start) }
          place = JSONScanner.skipBlanks(place) + 1
          members.append(Member(name: name, value: value()))
          more = next()
        }
        return .object(members)
      case UInt8(ascii: "["):
        var elements: [JSONValue] = []
        var more = open(until: UInt8(ascii: "]"))
        while more {
          elements.append(value())
          more = next()
        }
        return .array(elements)
      case UInt8(ascii: "\""):
        return .string(string())
      case UInt8(ascii: "t"):
        place += 4
        return .boolean(true)
      case UInt8(ascii: "f"):
        place += 5
        return .boolean(false)
      case UInt8(ascii: "n"):
        place += 4
        return .null
      default:
        let start = place
        place = scanner.value(start, level: 0) ?? start
        return .number(
          String(
            decoding: UnsafeBufferPointer(start: start, count: place - start), as: UTF8.self))
      }
    }

    /// Goes into a container; whether it has anything in it.
    private mutating func open(until close: UInt8) -> Bool {
      place = JSONScanner.skipBlanks(place + 1)
      guard place.pointee == close else { return true }
      place += 1
      return false
    }

    /// Goes past what follows a value in a container; whether another one comes.
    private mutating func next() -> Bool {
      place = JSONScanner.skipBlanks(place)
      let more = place.pointee == UInt8(ascii: ",")
      place = JSONScanner.skipBlanks(place + 1)
      return more
    }

    private mutating func string() -> String {
      var scanner = JSONScanner()
      var isEscaped = false
      let start = place + 1
      guard let close = scanner.string(start, isEscaped: &isEscaped) else { return "" }
      place = close + 1
      return String(unsafeUninitializedCapacity: close - start) { target in
        guard let base = target.baseAddress else { return 0 }
        return JSONScanner.unescape(from: start, to: close, into: base)
      }
    }
  }
}
