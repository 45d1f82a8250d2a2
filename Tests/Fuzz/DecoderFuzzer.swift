// A libFuzzer target for the decoder, compiled together with Sources/Contract by scripts/fuzz.
//
// Any bytes are an object: both ways of a line must make the same of it, in whatever chunks it comes.
// The address sanitizer watches the unsafe code; chunks end where their memory ends.

/// What one decoder made of an object.
private struct Outcome: Equatable {
  var rows: [[UInt8]] = []
  var quarantine: [UInt8] = []
  var counts = LineCounts()
}

private final class Way {
  let decoder: LineDecoder

  init(comparesShapes: Bool) {
    decoder = LineDecoder(contract: contract, comparesShapes: comparesShapes)
  }

  func decode(_ object: UnsafeBufferPointer<UInt8>, chunk: Int) -> Outcome {
    decoder.begin(sourceObject: "raw/x.json", objectIndex: 3)
    // So that there is a shape to compare with.
    let first = Array(Self.line.utf8)
    feed(first + first.prefix(100))
    feed(first.dropFirst(100) + first)
    var start = 0
    while start < object.count {
      let size = min(chunk, object.count - start)
      feed(object[start..<start + size])
      start += size
    }
    var outcome = Outcome()
    outcome.counts = decoder.finish()
    for day in decoder.partitions.days {
      guard let columns = decoder.partitions[day] else { continue }
      for row in 0..<columns.rowCount { outcome.rows.append(Self.describe(columns, row, day)) }
      decoder.partitions.remove(day: day)
    }
    outcome.quarantine = Array(decoder.quarantine.bytes)
    decoder.quarantine.removeAll()
    return outcome
  }

  private func feed(_ bytes: some Collection<UInt8>) {
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = chunk.initialize(from: bytes)
    decoder.decode(UnsafeRawBufferPointer(chunk))
    chunk.deallocate()
  }

  private static func describe(_ columns: EventColumns, _ row: Int, _ day: Int32) -> [UInt8] {
    var bytes = Array("\(day) \(columns.lineNumbers[row]) \(columns.objectIndexes[row])".utf8)
    for column in columns.columns {
      bytes.append(0xFF)
      if let validity = column.validity, validity[row] == 0 { continue }
      switch column.content {
      case .codes(let codes, let values):
        let code = Int(codes[row])
        if code == 0 { continue }
        if column.kind == .string {
          bytes += text(values.bytes, values.offsets, code, 0)
        } else {
          bytes += number(values.bits[code], column.kind)
        }
      case .values(let start):
        switch column.kind {
        case .int32:
          bytes += number(UInt64(start.load(fromByteOffset: row * 4, as: UInt32.self)), .int32)
        case .boolean:
          bytes += number(UInt64(start.load(fromByteOffset: row, as: UInt8.self)), .boolean)
        default:
          bytes += number(start.load(fromByteOffset: row * 8, as: UInt64.self), column.kind)
        }
      case .texts(let start, let offsets): bytes += text(start, offsets, row, 0)
      case .prefixedTexts(let start, let offsets): bytes += text(start, offsets, row, 4)
      }
    }
    return bytes
  }

  private static func text(
    _ bytes: UnsafePointer<UInt8>, _ offsets: UnsafePointer<UInt32>, _ index: Int, _ skipped: Int
  ) -> [UInt8] {
    [0x74] + (Int(offsets[index]) + skipped..<Int(offsets[index + 1])).map { bytes[$0] }
  }

  private static func number(_ bits: UInt64, _ kind: ColumnBuffer.Kind) -> [UInt8] {
    let width = kind == .int32 ? 4 : kind == .boolean ? 1 : 8
    return [0x6E] + (0..<width).map { UInt8(truncatingIfNeeded: bits >> UInt64($0 * 8)) }
  }

  private static let line =
    #"{"event_id": "7fb392df-516d-49ea-91bd-411f2f43a4f5", "ts": "2026-09-01T00:00:00.021516+00:00", "#
    + #""store_id": "S009", "customer_id": "C001036", "product_id": "P102", "category": "home", "#
    + #""price": 49.99, "quantity": 3, "total_amount": 149.97}"# + "\n"
}

private let contract: EventContract = {
  let schema = """
    {"type":"object","required":["event_id","ts"],"properties":{
    "event_id":{"type":"string","minLength":1,"x-max-bytes":256},
    "ts":{"type":"string","format":"date-time"},"store_id":{"type":"string"},
    "customer_id":{"type":"string"},"product_id":{"type":"string"},"category":{"type":"string"},
    "price":{"type":"number","minimum":0},"quantity":{"type":"integer","minimum":1,
    "maximum":2147483647},"total_amount":{"type":"number","minimum":0}}}
    """
  do {
    return try EventContract(schema: Array(schema.utf8))
  } catch {
    fatalError("the fuzzer's own contract cannot be read: \(error)")
  }
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  guard count > 1 else { return 0 }
  // The first byte chooses how the others are cut into chunks.
  let object = UnsafeBufferPointer(start: start + 1, count: count - 1)
  let chunk = start[0] < 64 ? Int(start[0]) + 1 : start[0] < 128 ? Int(start[0]) * 16 : .max
  let short = Way(comparesShapes: true).decode(object, chunk: chunk)
  let long = Way(comparesShapes: false).decode(object, chunk: .max)
  precondition(short == long, "the two ways of a line disagree")
  return 0
}
