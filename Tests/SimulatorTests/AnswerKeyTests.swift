import Foundation
import Simulator
import Testing

@Suite("Answer key")
struct AnswerKeyTests {
  @Test("a record is one line with all nine members")
  func text() {
    var bytes: [UInt8] = []
    AnswerKeyRecord(sourceObject: "raw/a\"b.json", line: 7, fault: .malformedJSON).append(
      to: &bytes)
    AnswerKeyRecord(
      sourceObject: "raw/x.json", line: 2, fault: .duplicate, eventID: "e",
      originalObject: "raw/w.json", originalLine: 1
    ).append(to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self) == #"""
        {"source_object": "raw/a\"b.json", "line": 7, "fault": "malformed_json", \#
        "verdict": "quarantined", "reason": "malformed_json", "event_id": null, \#
        "rescued_field": null, "original_object": null, "original_line": null}
        {"source_object": "raw/x.json", "line": 2, "fault": "duplicate", "verdict": "accepted", \#
        "reason": null, "event_id": "e", "rescued_field": null, \#
        "original_object": "raw/w.json", "original_line": 1}

        """#)
  }

  @Test("every record comes back from its line")
  func roundTrip() throws {
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 1, faults: try FaultPlan(spec: "all=0.9,line_too_long=0"))
    let answers = try Fixtures.objects(2, events: 300, with: &generator).flatMap(\.answers)
    for answer in answers {
      var bytes: [UInt8] = []
      answer.append(to: &bytes)
      #expect(try JSONDecoder().decode(AnswerKeyRecord.self, from: Data(bytes)) == answer)
    }
    #expect(answers.count > 500)
  }
}
