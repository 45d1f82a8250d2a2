import Simulator
import Testing

@Suite("Faults and their answers")
struct FaultTests {
  /// Objects full of one fault.
  private func objects(
    of spec: String, events: Int = 400, catalogue: String = Fixtures.catalogueText
  ) throws -> [RawObject] {
    var generator = EventGenerator(
      world: try Fixtures.world(catalogue), seed: 11, faults: try FaultPlan(spec: spec))
    return try Fixtures.objects(2, events: events, with: &generator)
  }

  private static let replacing = FaultKind.allCases.filter {
    ![.blank, .duplicate, .conflict, .drift, .truncated].contains($0)
  }

  @Test(
    "a fault at rate 1 spoils every line, each with the verdict that its kind has",
    arguments: replacing)
  func everyLine(kind: FaultKind) throws {
    // A line that is too long takes the judge a second.
    let events = kind == .lineTooLong ? 3 : 400
    for catalogue in [Fixtures.catalogueText, Fixtures.awkwardCatalogueText] {
      let lines = JudgedLine.all(
        of: try objects(of: "\(kind.rawValue)=1", events: events, catalogue: catalogue))
      #expect(lines.count == 2 * events)
      for line in lines {
        let answer = try #require(line.answer)
        #expect(answer.fault == kind)
        #expect(answer.sourceObject == line.object)
        #expect(answer.verdict == kind.expectedVerdict)
        #expect(answer.reason == kind.expectedReason)
        #expect(answer.originalObject == nil && answer.originalLine == nil)
        switch line.verdict {
        case .quarantined(let reason): #expect(reason == answer.reason)
        case .accepted(let row):
          #expect(answer.verdict == .accepted)
          #expect(row.texts["event_id"] == answer.eventID)
          #expect(row.rescued == [answer.rescuedField].compactMap { $0 })
        case .blank: Issue.record("a line of \(kind) is blank")
        }
      }
    }
  }

  @Test("every way of spoiling a line comes up: no two faults of 400 lines share all their shapes")
  func variety() throws {
    // What differs between the ways of a fault is not the purchase; so blot the purchase out.
    for (kind, ways) in [
      ("missing_event_id", 2), ("missing_ts", 2), ("duplicate_key", 4), ("invalid_event_id", 7),
      ("ts_out_of_range", 6), ("bad_type", 12), ("unknown_field", 5),
    ] {
      let clean = try objects(of: "none").flatMap(\.lines)
      let faulty = try objects(of: "\(kind)=1").flatMap(\.lines)
      let shapes = zip(clean, faulty).map { clean, faulty in
        let start = zip(clean, faulty).prefix { $0 == $1 }.count
        let end = zip(clean.reversed(), faulty.reversed()).prefix { $0 == $1 }.count
        let changed = faulty.dropFirst(start).dropLast(min(end, faulty.count - start))
        return "\(start < 30 ? 0 : 1)" + String(decoding: changed, as: UTF8.self)
      }
      #expect(Set(shapes).count >= ways, "\(kind)")
    }
  }

  @Test("late events are one to 64 hours older than without the fault, and otherwise the same")
  func late() throws {
    let clean = JudgedLine.all(of: try objects(of: "none"))
    let late = JudgedLine.all(of: try objects(of: "late=1"))
    let hour: Int64 = 3_600_000_000
    var delays: [Int64] = []
    for (clean, late) in zip(clean, late) {
      guard case .accepted(var before) = clean.verdict, case .accepted(let after) = late.verdict
      else {
        Issue.record("a clean or late line is not accepted")
        continue
      }
      delays.append(before.timestampMicros - after.timestampMicros)
      before.timestampMicros = after.timestampMicros
      #expect(before == after)
    }
    #expect(delays.allSatisfy { (hour..<64 * hour).contains($0) })
    #expect(delays.contains { $0 < 2 * hour } && delays.contains { $0 > 32 * hour })
  }

  @Test("a late event of the first days stays in the range that the contract accepts")
  func lateAtTheStart() throws {
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 1, faults: try FaultPlan(spec: "late=1"))
    let first: Int64 = 946_684_800_000_000
    for line in JudgedLine.all(
      of: try Fixtures.objects(1, events: 50, from: first, with: &generator))
    {
      guard case .accepted(let row) = line.verdict else {
        Issue.record("a late line is not accepted")
        continue
      }
      #expect(row.timestampMicros == first)
    }
  }

  @Test("messy categories and customers are the clean ones once trimmed and brought to one case")
  func messy() throws {
    for catalogue in [Fixtures.catalogueText, Fixtures.awkwardCatalogueText] {
      let clean = JudgedLine.all(of: try objects(of: "none", catalogue: catalogue))
      let messy = JudgedLine.all(of: try objects(of: "messy=1", catalogue: catalogue))
      for (clean, messy) in zip(clean, messy) {
        guard case .accepted(var before) = clean.verdict, case .accepted(var after) = messy.verdict
        else {
          Issue.record("a clean or messy line is not accepted")
          continue
        }
        #expect(before != after)
        #expect(
          before.texts["customer_id"] == after.texts["customer_id"].map(trimmed)?.uppercased())
        before.texts["category"] = before.texts["category"]?.lowercased()
        after.texts["category"] = after.texts["category"].map(trimmed)?.lowercased()
        after.texts["customer_id"] = before.texts["customer_id"]
        #expect(before == after)
      }
    }
  }

  private func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  @Test(
    "duplicates and conflicts come after the event they repeat and differ from it as they should")
  func repeats() throws {
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 3,
      faults: try FaultPlan(spec: "duplicate=0.4,conflict=0.3,late=0.1,blank=0.1"))
    let objects = try Fixtures.objects(20, events: 100, with: &generator)
    let lines = JudgedLine.all(of: objects)
    let places = Dictionary(
      uniqueKeysWithValues: lines.enumerated().map { ("\($1.object)#\($1.number)", $0) })
    var fromEarlierObjects = 0
    var seen: [String: Int] = [:]
    for (index, line) in lines.enumerated() {
      guard case .accepted(let row) = line.verdict else {
        #expect(line.answer?.fault == .blank)
        continue
      }
      let id = try #require(row.texts["event_id"])
      guard let answer = line.answer, answer.fault != .late else {
        // An event that is no repeat is the first of its id.
        #expect(seen.updateValue(index, forKey: id) == nil)
        continue
      }
      let object = try #require(answer.originalObject)
      let number = try #require(answer.originalLine)
      let original = try #require(places["\(object)#\(number)"])
      #expect(original == seen[id])
      #expect((object, number) < (line.object, line.number))
      if object != line.object { fromEarlierObjects += 1 }
      guard case .accepted(var first) = lines[original].verdict else { continue }
      if answer.fault == .duplicate {
        #expect(line.bytes.elementsEqual(lines[original].bytes))
      } else {
        #expect(answer.fault == .conflict)
        #expect(first.numbers["quantity"] != row.numbers["quantity"])
        #expect(first.numbers["total_amount"] != row.numbers["total_amount"])
        #expect((1...5).contains(row.numbers["quantity"] ?? 0))
        first.numbers = row.numbers
        #expect(first == row)
      }
    }
    let repeats = objects.flatMap(\.answers).filter { $0.originalLine != nil }
    #expect(repeats.count > 1_200)
    #expect(fromEarlierObjects > 600)
  }

  @Test("when all events are to be repeats, the very first has nothing to repeat and is clean")
  func nothingToRepeat() throws {
    let object = try #require(try objects(of: "duplicate=1").first)
    #expect(object.answers.map(\.line) == Array(2...400))
    #expect(Set(object.lines).count == 1)
  }

  @Test("blank lines are lines more, one before each event at rate 1")
  func blank() throws {
    let clean = try objects(of: "none")
    for (clean, object) in zip(clean, try objects(of: "blank=1")) {
      #expect(object.lineCount == 800)
      #expect(object.eventCount == 400)
      #expect(object.lines.count == 800)
      #expect(object.answers.map(\.line) == Array(stride(from: 1, to: 800, by: 2)))
      for (index, line) in object.lines.enumerated() {
        #expect((LineJudge.judge(line) == .blank) == (index % 2 == 0))
      }
      let kept = object.lines.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      #expect(kept == clean.lines)
    }
  }

  @Test(
    "the answer key names every line that is not clean, and no other",
    arguments: 1...5 as ClosedRange<UInt64>)
  func complete(seed: UInt64) throws {
    var generator = EventGenerator(
      world: try Fixtures.world(Fixtures.awkwardCatalogueText), seed: seed,
      faults: try FaultPlan(spec: "all=0.5,line_too_long=0.0005,truncated=0.6"))
    let objects = try Fixtures.objects(8, events: 500, with: &generator)
    for line in JudgedLine.all(of: objects) {
      switch line.verdict {
      case .blank: #expect(line.answer?.verdict == .blank)
      case .quarantined(let reason):
        #expect(line.answer?.verdict == .quarantined)
        #expect(line.answer?.reason == reason)
      case .accepted(let row):
        #expect((line.answer?.verdict ?? .accepted) == .accepted)
        #expect(row.rescued == [line.answer?.rescuedField].compactMap { $0 })
      }
    }
    let kinds = Set(objects.flatMap(\.answers).map(\.fault))
    #expect(kinds.isSuperset(of: Set(FaultKind.allCases).subtracting([.lineTooLong])))
  }

  @Test("the id in the answer key stands in the line, and is missing only when it does not")
  func answerIDs() throws {
    for object in try objects(of: "corrupt=1,line_too_long=0") {
      let answers = object.answersByLine
      for (index, line) in object.lines.enumerated() {
        let answer = try #require(answers[index + 1])
        switch answer.fault {
        case .missingEventID, .invalidEventID: #expect(answer.eventID == nil)
        case .missingTimestamp, .invalidTimestamp, .timestampOutOfRange, .duplicateKey, .tooDeep:
          #expect(answer.eventID != nil)
        default: break
        }
        if let id = answer.eventID {
          #expect(String(decoding: line, as: UTF8.self).contains("\"event_id\": \"\(id)\""))
        }
      }
    }
  }

  @Test("faults come at their rates")
  func rates() throws {
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 1,
      faults: try FaultPlan(spec: "late=0.1,messy=0.02,blank=0.05"))
    let answers = try Fixtures.objects(1, events: 50_000, with: &generator).flatMap(\.answers)
    let counts = Dictionary(grouping: answers, by: \.fault).mapValues(\.count)
    #expect(abs((counts[.late] ?? 0) - 5_000) < 300)
    #expect(abs((counts[.messy] ?? 0) - 1_000) < 150)
    #expect(abs((counts[.blank] ?? 0) - 2_500) < 250)
  }

  @Test("a truncated object ends in the middle of its last line, and in no other")
  func truncated() throws {
    let clean = try objects(of: "none")
    for (clean, object) in zip(clean, try objects(of: "truncated=1")) {
      let answer = try #require(object.answers.first)
      #expect(object.answers.count == 1)
      #expect((answer.fault, answer.line, answer.reason) == (.truncated, 400, "malformed_json"))
      #expect(object.lines.count == 400)
      #expect(object.body.last != UInt8(ascii: "\n"))
      #expect(object.lines.dropLast() == clean.lines.dropLast())
      let last = try #require(object.lines.last)
      #expect(clean.lines.last?.starts(with: last) == true)
    }
  }

  @Test("a drift begins at a moment and not before")
  func drift() throws {
    let object = try #require(try objects(of: "drift=1", events: 1_500).first)
    #expect(object.answers.map(\.line) == Array(1_001...1_500))
    #expect(Set(object.answers.map(\.rescuedField)) == ["sales_channel"])
  }

  @Test("what an offline till sends is of one store, in order, of the hours before")
  func offline() throws {
    let lines = JudgedLine.all(of: try objects(of: "offline=0.2", events: 4_000))
    let dumped = lines.indices.filter { lines[$0].answer?.fault == .offline }
    #expect((1_200...2_000).contains(dumped.count))
    var dumps: [[LineJudge.Row]] = []
    for (place, index) in dumped.enumerated() {
      guard case .accepted(let row) = lines[index].verdict else { continue }
      let goesOn =
        place > 0 && dumped[place - 1] == index - 1
        && (dumps.last?.last?.timestampMicros ?? .max) <= row.timestampMicros
        && dumps.last?.last?.texts["store_id"] == row.texts["store_id"]
      if goesOn { dumps[dumps.count - 1].append(row) } else { dumps.append([row]) }
    }
    // At most two follow each other at once, of one store.
    #expect(dumps.allSatisfy { (10...60).contains($0.count) })
    let spans = dumps.map { dump in
      Double(dump[dump.count - 1].timestampMicros - dump[0].timestampMicros) / 3.6e9
    }
    #expect(spans.allSatisfy { $0 < 16 } && spans.contains { $0 > 4 })
  }

  @Test("a store's clock is off by as much whenever it is")
  func clockSkew() throws {
    let clean = JudgedLine.all(of: try objects(of: "none"))
    var skews: [String: Set<Int64>] = [:]
    for (clean, skewed) in zip(clean, JudgedLine.all(of: try objects(of: "clock_skew=1"))) {
      guard case .accepted(let before) = clean.verdict, case .accepted(let after) = skewed.verdict
      else { continue }
      skews[before.texts["store_id"] ?? "", default: []]
        .insert(after.timestampMicros - before.timestampMicros)
    }
    #expect(skews.count == 10)
    #expect(skews.values.allSatisfy { $0.count == 1 })
    let all = skews.values.compactMap(\.first)
    #expect(all.allSatisfy { (30_000_000...900_000_000).contains(abs($0)) })
    #expect(all.contains { $0 > 0 } && all.contains { $0 < 0 })
  }
}
