import Foundation
import Testing

@Suite("The tests' own judge")
struct LineJudgeTests {
  private struct Case: Decodable {
    var name: String
    var line: String?
    var lineBase64: String?
    var verdict: String
    var reason: String?

    /// Nil for the few lines that are kept compressed.
    var bytes: [UInt8]? {
      line.map { Array($0.utf8) } ?? lineBase64.flatMap { Data(base64Encoded: $0) }.map(Array.init)
    }
  }

  @Test("the judge gives the contract's corpus its verdicts")
  func corpus() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try Data(contentsOf: Fixtures.contractFile("corpus/purchase_lines.jsonl"))
    var judged = 0
    for record in text.split(separator: UInt8(ascii: "\n")) {
      let test = try decoder.decode(Case.self, from: Data(record))
      guard let bytes = test.bytes else { continue }
      judged += 1
      switch LineJudge.judge(bytes) {
      case .blank: #expect(test.verdict == "blank", "\(test.name)")
      case .accepted: #expect(test.verdict == "accepted", "\(test.name)")
      case .quarantined(let reason): #expect(test.reason == reason, "\(test.name)")
      }
    }
    #expect(judged > 280)
  }
}
