import Foundation
import Simulator
import Testing

@Suite("Truth and the answer key")
struct TruthTests {
  /// What gold must hold, worked out from the lines that the judge accepts.
  private static func gold(of objects: [RawObject]) -> [ObjectTruth.Group: ObjectTruth.Sums] {
    var groups: [ObjectTruth.Group: ObjectTruth.Sums] = [:]
    var seen: Set<String> = []
    for line in JudgedLine.all(of: objects) {
      guard case .accepted(let row) = line.verdict, let id = row.texts["event_id"],
        seen.insert(id).inserted
      else { continue }
      let group = ObjectTruth.Group(
        day: CivilDate(micros: row.timestampMicros).description,
        category: row.texts["category"]?.trimmingCharacters(in: .whitespaces).lowercased())
      groups[group, default: .init()] += .init(
        transactions: 1,
        revenueCents: Int64(((row.numbers["total_amount"] ?? 0) * 100).rounded()),
        units: Int(row.numbers["quantity"] ?? 0))
    }
    return groups
  }

  @Test(
    "what is true is what gold must make of the lines, whatever was done to them",
    arguments: ["none", "all=0.6,line_too_long=0", "missing_field=0.5,bad_type=0.5"],
    [World.Name.plain, .retail])
  func truth(spec: String, name: World.Name) throws {
    let world =
      name == .plain ? try Fixtures.world() : World.retail(try Fixtures.retailWorld())
    var generator = EventGenerator(
      world: world, seed: 8, faults: try FaultPlan(spec: spec), keepsTruth: true)
    let objects = try Fixtures.objects(6, events: 500, with: &generator)
    var truth = ObjectTruth()
    for object in objects { truth.add(try #require(object.truth)) }
    #expect(truth.groups == Self.gold(of: objects))
    #expect(truth.total.transactions > 800)
  }

  @Test("nobody who does not ask pays for the truth")
  func unasked() throws {
    var generator = EventGenerator(world: try Fixtures.world(), seed: 8)
    #expect(try Fixtures.objects(1, events: 5, with: &generator)[0].truth == nil)
  }

  @Test("what the simulator writes is read as a decoder of any JSON reads it, but for the ids")
  func scanning() throws {
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 1, faults: try FaultPlan(spec: "all=0.9,line_too_long=0"))
    let answers = try Fixtures.objects(2, events: 600, with: &generator).flatMap(\.answers)
    var bytes: [UInt8] = []
    for answer in answers { answer.append(to: &bytes) }
    // One with an escape, and one in other order.
    let odd = AnswerKeyRecord(sourceObject: "raw/a\"b.json", line: 7, fault: .blank)
    odd.append(to: &bytes)
    bytes += try JSONEncoder().encode(odd) + Array("\n".utf8)
    let expected = (answers + [odd, odd]).map { answer in
      var answer = answer
      answer.eventID = nil
      return answer
    }
    let reading = AnswerKeyReading(Data(bytes))
    #expect(reading.faults == expected)
    #expect(reading.brokenLine == nil)
  }

  @Test("a key is read with its objects, its faults and, at its end, what a kill has torn")
  func reading() {
    let object = { (name: String, faults: Int) in
      #"""
      {"source_object": "\#(name)", "line": null, "fault": "object", "verdict": null, \#
      "lines": 2, "events": 1, "faults": \#(faults), "true": [{"day": "2026-11-23", \#
      "category": null, "transactions": 1, "revenue": "0.09", "units": 3}]}

      """#
    }
    let fault = #"""
      {"source_object": "a", "line": 2, "fault": "blank", "verdict": "blank"}

      """#
    let total = #"""
      {"source_object": null, "line": null, "fault": "grand_total", "verdict": null}

      """#
    let text = object("a", 1) + fault + object("b", 0) + total
    let reading = AnswerKeyReading(Data((text + "{\"source").utf8))
    #expect(reading.objects.map(\.sourceObject) == ["a", "b"])
    #expect(reading.objects[0].truth.total.revenue == "0.09")
    #expect(reading.faults.map(\.fault) == [.blank])
    #expect(reading.brokenLine == nil)
    #expect(AnswerKeyReading(Data((text + "no key\n").utf8)).brokenLine == 5)
  }
}
