import Contract
import Foundation
import TestSupport
import Testing

@Suite("Numbers")
struct NumberTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
  }

  /// The double that `price` becomes in a row, written as `text` in the line.
  private func prices(_ texts: [String]) throws -> [Cell?] {
    let object = texts.map { event("\"price\":\($0)") + "\n" }.joined()
    let decoded = try Decoded(Array(object.utf8), by: decoder)
    #expect(decoded.counts.accepted == texts.count)
    return decoded.rows.map { $0.cells["price"] }
  }

  private func check(_ texts: [String]) throws {
    for (text, price) in zip(texts, try prices(texts)) {
      let expected = strtod(text, nil)
      #expect(price == (expected.isFinite ? .number(expected) : .null), "\(text)")
    }
    let quoted = try prices(texts.map { "\"\($0)\"" })
    #expect(quoted == (try prices(texts)))
  }

  @Test("Random decimals are rounded as the C library rounds them")
  func randomDecimals() throws {
    var random = SystemRandomNumberGenerator()
    func digits(_ count: Int) -> String {
      String((0..<count).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
    }
    func integer(_ count: Int) -> String {
      String(Int.random(in: 1...9, using: &random)) + digits(count - 1)
    }
    var texts: [String] = []
    for _ in 0..<20_000 {
      let whole =
        Bool.random(using: &random) ? "0" : integer(Int.random(in: 1...25, using: &random))
      var text = whole
      if Bool.random(using: &random) {
        text += "." + digits(Int.random(in: 1...25, using: &random))
      }
      if Bool.random(using: &random) {
        let reach = Bool.random(using: &random) ? 30 : 340
        text += "e\(Int.random(in: -reach...reach, using: &random))"
      }
      texts.append(text)
    }
    try check(texts)
  }

  @Test("Shortest and long texts of random doubles come back bit by bit")
  func randomDoubles() throws {
    var random = SystemRandomNumberGenerator()
    var values: [Double] = []
    while values.count < 20_000 {
      let value = Double(bitPattern: UInt64.random(in: 0...(0x7FE << 52), using: &random))
      if value.isFinite { values.append(value) }
    }
    let cells = values.map { Cell.number($0) }
    #expect(try prices(values.map { "\($0)".replacingOccurrences(of: "e+", with: "E+") }) == cells)
    #expect(try prices(values.map { String(format: "%.25e", $0) }) == cells)
    // Amounts as a shop writes them.
    let amounts = (0..<20_000).map { _ in
      Double(Int.random(in: 0...9_999_999, using: &random)) / 100
    }
    #expect(try prices(amounts.map { "\($0)" }) == amounts.map { Cell.number($0) })
    #expect(
      try prices(amounts.map { String(format: "%.2f", $0) }) == amounts.map { Cell.number($0) })
  }

  @Test("Numbers next to the edges are rounded correctly")
  func edges() throws {
    let zeros = String(repeating: "0", count: 1000)
    let nines = String(repeating: "9", count: 1000)
    try check([
      "0", "0.0", "0e5", "0e99999999999999999999", "0.0e-99999999999999999999", "1e22", "1e23",
      "9007199254740992", "9007199254740993", "9007199254740991e22", "9007199254740993e-22",
      "9007199254740992.00000000000000000000000000000000001", "18446744073709551615",
      "18446744073709551616", "9999999999999999999", "10000000000000000000",
      "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e308",
      "1e309",
      "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9e-324", "2.4703282292062327e-324",
      "2.4703282292062328e-324", "1e-324", "1e-9999999999", "1e9999999999", "1E+2", "1e-0", "1e+00",
      "1\(zeros)e-1000", "0.\(zeros)1e1001", "0.\(nines)", "1\(zeros)", "1\(zeros)e-2000",
      "1e-\(zeros)5", "1e\(zeros)5",
      "0.500000000000000166533453693773481063544750213623046875",
      "3.14159265358979323846264338327950",
      "7205759403792793200001e-5", "30078505129381147446200", "1777820000000000000001",
    ])
    // With a megabyte of digits too.
    let long = String(repeating: "0", count: 1_000_000)
    #expect(try prices(["0.\(long)1e1000001", "1\(long)e-1000000"]) == [.number(1), .number(1)])
  }

  @Test("A price that is no finite number from zero up is rescued as it stands")
  func rescuedPrices() throws {
    for text in [
      "-1", "-1e-300", "1e309", "\"\"", "\"1 \"", "\"01\"", "\"1.\"", "\".5\"", "true", "[]",
    ] {
      let decoded = try Decoded(Array(event("\"price\" : \(text) ").utf8), by: decoder)
      #expect(decoded.rows[0].cells["price"] == .null)
      #expect(decoded.rows[0].cells["_rescued_data"] == .string("{\"price\":\(text)}"))
      #expect(decoded.counts.rescued == ["price": 1])
    }
    #expect(
      try prices(["-0", "-0.0", "-1e-400"]) == [.number(-0.0), .number(-0.0), .number(-0.0)])
    #expect(try prices(["\"4\\u0039.5\""]) == [.number(49.5)])
  }

  @Test("An integer field takes what is whole as a double, and a 64-bit one exact digits")
  func integers() throws {
    let schema = """
      {"type":"object","required":["event_id","ts"],"properties":{
        "event_id":{"type":"string"},"ts":{"type":"string","format":"date-time"},
        "n":{"type":["integer","null"]},
        "m":{"type":["integer","null"],"minimum":-5,"maximum":300}}}
      """
    let decoder = LineDecoder(contract: try EventContract(schema: Array(schema.utf8)))
    func value(_ name: String, _ text: String) throws -> Cell? {
      try Decoded(Array(event("\"\(name)\":\(text)").utf8), by: decoder).rows[0].cells[name]
    }
    #expect(try value("n", "9007199254740993") == .int64(9_007_199_254_740_993))
    #expect(try value("n", "9223372036854775807") == .int64(.max))
    #expect(try value("n", "-9223372036854775808") == .int64(.min))
    #expect(try value("n", "9223372036854775808") == .null)
    #expect(try value("n", "-9223372036854775809") == .null)
    #expect(try value("n", "18446744073709551617") == .null)
    #expect(try value("n", "\"12\"") == .int64(12))
    #expect(try value("n", "1e3") == .int64(1000))
    #expect(try value("n", "1.5") == .null)
    #expect(try value("n", "-0") == .int64(0))
    #expect(try value("n", "-0.0") == .int64(0))
    #expect(try value("n", "1e19") == .null)
    #expect(try value("m", "300") == .int32(300))
    #expect(try value("m", "301") == .null)
    #expect(try value("m", "-5.0") == .int32(-5))
    #expect(try value("m", "-6") == .null)
    #expect(try value("m", "2.99999999999999999999") == .int32(3))
  }
}
