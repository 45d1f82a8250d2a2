import Contract
import TestSupport
import Testing

/// Lines of a known shape take a shorter way through the decoder. It must not show.
@Suite("Shapes")
struct ShapeTests {
  let contract: EventContract

  init() throws { contract = try Repository.contract() }

  /// What both ways make of an object.
  private func decode(
    _ object: [UInt8], chunks: [Int] = [.max], contract: EventContract? = nil
  ) throws -> (short: Decoded, long: Decoded) {
    let contract = contract ?? self.contract
    return (
      try Decoded(object, chunks: chunks, by: LineDecoder(contract: contract)),
      try Decoded(
        object, chunks: chunks, by: LineDecoder(contract: contract, comparesShapes: false))
    )
  }

  private func expectSame(_ object: [UInt8], chunks: [Int] = [.max]) throws {
    let (short, long) = try decode(object, chunks: chunks)
    expectSame(short, long)
  }

  /// Compares, and shows the first difference in place of everything.
  private func expectSame(_ short: Decoded, _ long: Decoded) {
    let isSame = short == long
    guard !isSame else { return }
    let row = zip(short.rows, long.rows).first { $0 != $1 }
    let record = zip(short.records, long.records).first { $0 != $1 }
    Issue.record(
      "\(short.counts) against \(long.counts); row \(String(describing: row)); record \(String(describing: record))"
    )
  }

  /// An event as some sender writes it: the order, the blanks and the form of its values are its own.
  private struct Sender {
    var order = Array(0..<9)
    var blank = ""
    var returns = false
    var nulls: Set<Int> = []
    var quotesNumbers = false

    mutating func vary(using random: inout SeededGenerator) {
      order.shuffle(using: &random)
      blank = [" ", "", "  ", "\t"].randomElement(using: &random)!
      returns = Bool.random(using: &random)
      quotesNumbers = Bool.random(using: &random)
      nulls = Set((2..<9).filter { _ in Int.random(in: 0..<5, using: &random) == 0 })
    }

    func line(_ random: inout SeededGenerator) -> [UInt8] {
      let quantity = Int.random(in: 1...5, using: &random)
      let quote = quotesNumbers ? "\"" : ""
      let id = (0..<36).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }
      let zone = ["+00:00", "Z", "-08:00", "+05:30"].randomElement(using: &random)!
      let fraction = ["", ".5", ".123456", ".1234567"].randomElement(using: &random)!
      func digits(_ upTo: Int) -> String {
        let number = Int.random(in: 0...upTo, using: &random)
        return number < 10 ? "0\(number)" : "\(number)"
      }
      let members = [
        "\"event_id\":\(blank)\"\(id.joined())\"",
        "\"ts\":\(blank)\"2026-11-\(digits(20).replacing("00", with: "21"))T\(digits(23)):\(digits(59)):\(digits(59))\(fraction)\(zone)\"",
        "\"store_id\":\(blank)\"S\(digits(99))\"",
        "\"customer_id\":\(blank)\"C\(Int.random(in: 0..<3000, using: &random))\"",
        "\"product_id\":\(blank)\"P\(digits(4))\"",
        "\"category\":\(blank)\"\(["home", "grocery and all that belongs to it", "café", "a\\u0041"].randomElement(using: &random)!)\"",
        "\"price\":\(blank)\(quote)\([49.99, 3.49, 0.1, 1e3].randomElement(using: &random)!)\(quote)",
        "\"quantity\":\(blank)\(quote)\(quantity)\(quote)",
        "\"total_amount\":\(blank)\(quote)\(Double(quantity) * 49.99)\(quote)",
      ]
      let names = [
        "event_id", "ts", "store_id", "customer_id", "product_id", "category", "price", "quantity",
        "total_amount",
      ]
      let chosen = order.map { nulls.contains($0) ? "\"\(names[$0])\":\(blank)null" : members[$0] }
      return Array(
        "{\(chosen.joined(separator: ",\(blank)"))}\(returns ? "\r" : "")".utf8)
    }
  }

  @Test("Lines of many senders give the same rows on both ways, however they are cut into chunks")
  func senders() throws {
    var random = SeededGenerator(seed: 1)
    for round in 0..<40 {
      var senders = (0..<(1 + round % 7)).map { _ in Sender() }
      for index in senders.indices.dropFirst() { senders[index].vary(using: &random) }
      var object: [UInt8] = []
      for _ in 0..<300 {
        object += senders.randomElement(using: &random)!.line(&random) + [0x0A]
      }
      let size = [Int.max, 4096, 1000, 100_000][round % 4]
      let (short, long) = try decode(object, chunks: [size])
      expectSame(short, long)
      #expect(short.counts.accepted > 250)
    }
  }

  @Test("Any mutation of a line has the same verdict and row on both ways")
  func mutations() throws {
    var random = SeededGenerator(seed: 2)
    let sender = Sender()
    let bytes = Array("\"\\{}[],:0 9eE+-.\u{7F}\u{0}\tnullT\u{FF}é🛒\r".utf8) + [0x80, 0xC0, 0xFF]
    for _ in 0..<60 {
      var object: [UInt8] = []
      for _ in 0..<80 {
        var line = sender.line(&random)
        if Int.random(in: 0..<3, using: &random) > 0 {
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<line.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: line.remove(at: place)
            case 1: line.insert(bytes.randomElement(using: &random)!, at: place)
            case 2: line[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 3: line.replaceSubrange(place..., with: line[..<place].prefix(40))
            default: line[place] = bytes.randomElement(using: &random)!
            }
            if line.isEmpty { line = [0x20] }
          }
        }
        object += line + [0x0A]
      }
      try expectSame(object)
    }
  }

  @Test(
    "Values that look like others but are not are told apart",
    arguments: [
      // A quote, a backslash or a control character that ends up in a value only by an escape.
      #""store_id":"a\\""#, #""store_id":"a\"""#, #""store_id":"a\u0000""#, #""store_id":"a\n""#,
      // The same bytes, as the line has them: the string goes on, or is broken.
      "\"store_id\":\"a\\\", \"x\":\"", "\"store_id\":\"a\u{0}\"", "\"store_id\":\"a\n\"",
      // Numbers where strings should be and the other way round; literals.
      #""store_id":7"#, #""quantity":"7""#, #""quantity":7.0"#, #""quantity":7.5"#,
      #""price":-0.0"#,
      #""price":0.0"#, #""price":1e400"#, #""price":"1e5""#, #""price":" 1""#, #""price":nul"#,
      #""price":null"#, #""price":true"#, #""category":"""#, #""price":"""#,
      #""price":0.30000000000000004"#, #""price":123456789012345678901234567890"#,
    ])
  func lookalikes(member: String) throws {
    let usual = [
      #""store_id":"a","price":1.5,"quantity":7,"category":"c""#,
      #""store_id":"7","price":"1.5","quantity":7,"category":"""#,
    ]
    for other in usual {
      var text = ""
      for number in 0..<6 { text += event(other, id: "\(number)") + "\n" }
      text += event(member) + "\n" + event(other) + "\n" + event(member) + "\n"
      try expectSame(Array(text.utf8))
    }
  }

  @Test("A field of many values keeps them all, whether it is given up early or late")
  func manyValues() throws {
    // What never repeats is given up early, what does late or not at all.
    for (distinct, times) in [(60_000, 1), (50_000, 2), (70_000, 2)] {
      let text = (0..<distinct * times).map { row in
        let number = row / times
        return event(
          "\"customer_id\":\"C\(number)\",\"price\":\(number).25,\"quantity\":\(number + 1)",
          id: "\(row)") + "\n"
      }.joined()
      let (short, long) = try decode(Array(text.utf8), chunks: [1 << 16])
      expectSame(short, long)
      #expect(short.rows.count == distinct * times)
      for (index, row) in short.rows.enumerated() where index % 997 == 0 {
        let number = index / times
        #expect(row.cells["customer_id"] == .string("C\(number)"))
        #expect(row.cells["price"] == .number(Double(number) + 0.25))
        #expect(row.cells["quantity"] == .int32(Int32(number + 1)))
      }
    }
  }

  @Test("Fields of every type keep their values on both ways")
  func everyType() throws {
    let schema = """
      {"type":"object","required":["event_id","ts"],"properties":{"event_id":{"type":"string"},
      "ts":{"type":"string","format":"date-time"},"at":{"type":"string","format":"date-time"},
      "flag":{"type":"boolean"},"whole":{"type":"integer"},"amount":{"type":"number"}}}
      """
    let contract = try EventContract(schema: Array(schema.utf8))
    var random = SeededGenerator(seed: 3)
    var text = ""
    for number in 0..<2000 {
      let flag = ["true", "false", "null", "\"true\"", "1"].randomElement(using: &random)!
      let whole = Int.random(in: -9_007_199_254_740_993...9_007_199_254_740_993, using: &random)
      text +=
        event(
          "\"at\":\"2026-11-2\(number % 10)T10:00:00Z\",\"flag\":\(flag),\"whole\":\(whole),\"amount\":\(Double(whole) / 7)",
          id: "\(number)") + "\n"
    }
    let (short, long) = try decode(Array(text.utf8), contract: contract)
    expectSame(short, long)
    #expect(short.rows.count == 2000)
  }

  @Test("Any JSON value under an unknown name is rescued as it stands")
  func unknownValues() throws {
    var random = SeededGenerator(seed: 4)
    var text = ""
    var expected: [String] = []
    for number in 0..<1500 {
      let value = Self.json(&random, depth: 0)
      text += event("\"x\(number % 3)\":\(value),\"price\":1.5", id: "\(number)") + "\n"
      expected.append("{\"x\(number % 3)\":\(value)}")
    }
    let (short, long) = try decode(Array(text.utf8))
    expectSame(short, long)
    #expect(short.rows.map { $0.cells["_rescued_data"] } == expected.map { Cell.string($0) })
  }

  private static func json(_ random: inout SeededGenerator, depth: Int) -> String {
    switch Int.random(in: 0..<(depth < 4 ? 8 : 6), using: &random) {
    case 0: return ["null", "true", "false"].randomElement(using: &random)!
    case 1: return "\(Double.random(in: -1e9...1e9, using: &random))"
    case 2:
      return
        "-\(Int.random(in: 1...Int.max, using: &random))e-\(Int.random(in: 0...400, using: &random))"
    case 3:
      return
        "\"\(["", "é", "🛒", "\\\"", "\\ud83d\\uded2", "\\\\", " "].randomElement(using: &random)!)\""
    case 4: return "[]"
    case 5: return "{ }"
    case 6:
      let items = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        json(&random, depth: depth + 1)
      }
      return "[\(items.joined(separator: " , "))]"
    default:
      return "{\"a\" : \(json(&random, depth: depth + 1)),\"a\":\(json(&random, depth: depth + 1))}"
    }
  }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
