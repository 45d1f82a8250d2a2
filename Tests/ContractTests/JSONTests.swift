import Contract
import Foundation
import TestSupport
import Testing

@Suite("JSON, by RFC 8259")
struct JSONTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
    decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
  }

  /// The verdict of an event with an unknown field of that value.
  private func verdict(value: String) -> Verdict {
    decoder.verdict(event("\"x\":\(value)").utf8)
  }

  @Test(
    "What RFC 8259 allows is accepted",
    arguments: [
      "0", "-0", "10", "-1.5e+10", "1E400", "0e0", "\"\"", "\"\\u0000\"", "\"\\/\\b\\f\"",
      "\"\\uD83D\\uDE00\"", "\"\u{7F}\"", "[]", "[ ]", "[[],{}]", "{}", "{ }", "{\"\":{\"\":[]}}",
      "{\"a\":1,\"a\":1}", "[1 ,\r2\t, null]", "true", "false", "null", "\"\u{FFFF}\"",
    ])
  func allowed(value: String) {
    #expect(verdict(value: value) == .accepted)
  }

  @Test(
    "What RFC 8259 does not allow is malformed",
    arguments: [
      "", "01", "-01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1 2", "1a", "--1", "NaN",
      "Infinity", "-Infinity", "tru", "truee", "nul", "nulll", "True", "fals", "falsf", "[1,]",
      "[,1]",
      "[1 2]", "[", "]", "[1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}",
      "{\"a\":1 \"b\":2}", "{1:2}", "[}", "{]", "[1}", "{\"a\":1]", "\"a", "\"\\\"", "\"\\a\"",
      "\"\\u12g4\"", "\"\\u123\"", "\"\\U0041\"", "\"\t\"", "\"\u{1F}\"", "'a'", "\"\\ud800\\\"",
      "\"\\ud800\\x\"", "/**/1", "1//", "\u{B}1", "\u{A0}1", "[1]]", "{}}", "\"a\"\"b\"", "\u{0}",
      "[\"a\u{0}\"]", "[1,,2]", "[\"\\", "[[[[[[", "{\"a\":{\"b\":",
    ])
  func notAllowed(value: String) {
    #expect(verdict(value: value) == .quarantined(.malformedJSON))
    #expect(decoder.verdict("{\"x\":\(value)}".utf8) == .quarantined(.malformedJSON))
    #expect(decoder.verdict("[\(value)".utf8) != .accepted)
  }

  @Test("Reading left to right, the first fault decides")
  func firstFault() {
    let deep = String(repeating: "[", count: 70)
    #expect(verdict(value: deep) == .quarantined(.tooDeep))
    #expect(verdict(value: "x\(deep)") == .quarantined(.malformedJSON))
    #expect(verdict(value: "\"\\ud800\",\(deep)") == .quarantined(.invalidUnicode))
    #expect(verdict(value: "\"\\ud800\", x") == .quarantined(.invalidUnicode))
    #expect(verdict(value: "[\"\\udc00\"") == .quarantined(.invalidUnicode))
    #expect(verdict(value: "{\"\\udc00\"") == .quarantined(.invalidUnicode))
    #expect(verdict(value: "\"\\ud800") == .quarantined(.malformedJSON))
    #expect(decoder.verdict("{\"\\ud800\" 1}".utf8) == .quarantined(.invalidUnicode))
    #expect(decoder.verdict(deep.utf8) == .quarantined(.tooDeep))
    #expect(decoder.verdict("\"\\ud800\"".utf8) == .quarantined(.invalidUnicode))
    let open = String(repeating: "[", count: 64)
    let closed = open + String(repeating: "]", count: 64)
    #expect(decoder.verdict(closed.utf8) == .quarantined(.notAnObject))
    #expect(decoder.verdict((closed + "1").utf8) == .quarantined(.malformedJSON))
    #expect(decoder.verdict(open.utf8) == .quarantined(.malformedJSON))
    // Objects and arrays in turn, to the last level and one beyond.
    func nested(_ pairs: Int) -> String {
      String(repeating: "[{\"a\":", count: pairs) + "0" + String(repeating: "}]", count: pairs)
    }
    #expect(verdict(value: nested(31)) == .accepted)
    #expect(verdict(value: "[\(nested(31))]") == .accepted)
    #expect(verdict(value: nested(32)) == .quarantined(.tooDeep))
    #expect(decoder.verdict(nested(32).utf8) == .quarantined(.notAnObject))
  }

  @Test("A line that holds a line feed, which no object can give, is malformed")
  func lineFeedInside() {
    #expect(decoder.verdict("{\n}".utf8) == .quarantined(.malformedJSON))
    #expect(decoder.verdict("\(event())\n".utf8) == .quarantined(.malformedJSON))
    #expect(decoder.verdict("\n".utf8) == .quarantined(.malformedJSON))
  }

  @Test("Every line cut short is quarantined, and no byte past its end is taken for its own")
  func truncated() throws {
    let line = Array(
      event(#""price":49.99,"quantity":"3","x":[1,{"y":null}],"category":"caf\u00e9 é""#).utf8)
    for count in 1..<line.count {
      let cut = Array(line.prefix(count))
      #expect(decoder.verdict(cut) != .accepted)
      // In place, with the rest of the line behind the line feed.
      let object = cut + Array("\n".utf8) + Array(line.dropFirst(count)) + Array("\n".utf8) + line
      let decoded = try Decoded(object, by: decoder)
      #expect(decoded.rows.map(\.line) == [3])
      #expect(decoded.counts.lines == 3)
    }
  }

  @Test("UTF-8 is judged byte for byte as the standard library judges it")
  func unicode() {
    var random = SystemRandomNumberGenerator()
    let starts: [UInt8] = [
      0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF, 0x80, 0x41,
    ]
    let others: [UInt8] = [0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0x7F, 0x41]
    for _ in 0..<50_000 {
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        text.append(starts.randomElement(using: &random) ?? 0x41)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
          text.append(others.randomElement(using: &random) ?? 0x41)
        }
      }
      let line = Array("{\"x\":\"".utf8) + text + Array("\"}".utf8)
      let isValid = String(validating: line, as: UTF8.self) != nil
      #expect(
        decoder.verdict(line) == .quarantined(isValid ? .missingEventID : .invalidUnicode),
        "\(text)")
    }
  }
}
