import Foundation
import Simulator
import Testing

@Suite("Raw objects")
struct EventGeneratorTests {
  private func generator(_ spec: String = "none", seed: UInt64? = 5) throws -> EventGenerator {
    EventGenerator(world: try Fixtures.world(), seed: seed, faults: try FaultPlan(spec: spec))
  }

  @Test("the same seed, times and faults give the same objects, byte for byte, keys included")
  func determinism() throws {
    for spec in ["none", "all=0.5"] {
      var first = try generator(spec)
      var second = try generator(spec)
      let objects = try Fixtures.objects(3, events: 200, with: &first)
      #expect(try Fixtures.objects(3, events: 200, with: &second) == objects)
      var other = try generator(spec, seed: 6)
      for (object, other) in zip(objects, try Fixtures.objects(3, events: 200, with: &other)) {
        #expect(object.body != other.body)
        #expect(object.key != other.key)
      }
    }
  }

  @Test("without a seed no two worlds are alike, and the seed that was drawn makes the same again")
  func withoutSeed() throws {
    var first = try generator(seed: nil)
    var second = try generator(seed: nil)
    let objects = try Fixtures.objects(1, events: 5, with: &first)
    #expect(try Fixtures.objects(1, events: 5, with: &second) != objects)
    var again = try generator(seed: first.seed)
    #expect(try Fixtures.objects(1, events: 5, with: &again) == objects)
  }

  @Test("faults leave the events that they do not befall as they were")
  func faultsDisturbNothing() throws {
    var plain = try generator()
    var faulty = try generator("corrupt=0.2,late=0.2,duplicate=0.1,conflict=0.1,messy=0.1")
    let clean = try Fixtures.objects(3, events: 300, with: &plain)
    let spoilt = try Fixtures.objects(3, events: 300, with: &faulty)
    var untouched = 0
    for (clean, spoilt) in zip(clean, spoilt) {
      #expect(clean.key == spoilt.key)
      let answers = spoilt.answersByLine
      for (index, line) in spoilt.lines.enumerated() where answers[index + 1] == nil {
        #expect(line == clean.lines[index])
        untouched += 1
      }
    }
    #expect(untouched > 200)
  }

  @Test("an object has exactly as many lines that are not blank as events were asked for")
  func counts() throws {
    for spec in ["none", "default", "all=0.9", "blank=1,duplicate=1"] {
      var generator = try generator(spec)
      for events in [0, 1, 2, 25, 777] {
        let object = try #require(try Fixtures.objects(1, events: events, with: &generator).first)
        #expect(object.eventCount == events)
        #expect(object.lines.count == object.lineCount)
        #expect(object.lines.count { LineJudge.judge($0) != .blank } == events)
        #expect(object.body.last == (object.lineCount == 0 ? nil : UInt8(ascii: "\n")))
      }
      #expect(generator.eventsMade == 805)
      #expect(generator.objectsMade == 5)
    }
  }

  @Test("the plain world is the original script's: everything in it equally likely, totals exact")
  func uniformity() throws {
    var generator = try generator()
    var counts: [String: [String: Int]] = [:]
    var ids: Set<String> = []
    let events = 40_000
    for line in JudgedLine.all(of: try Fixtures.objects(1, events: events, with: &generator)) {
      guard case .accepted(let row) = line.verdict else {
        Issue.record("a clean line is not accepted")
        continue
      }
      let id = try #require(row.texts["event_id"])
      #expect(UUID(uuidString: id) != nil && Array(id)[14] == "4")
      #expect("89ab".contains(Array(id)[19]))
      ids.insert(id)
      for field in ["store_id", "customer_id", "product_id", "category"] {
        counts[field, default: [:]][row.texts[field] ?? "", default: 0] += 1
      }
      let quantity = try #require(row.numbers["quantity"])
      counts["quantity", default: [:]]["\(Int(quantity))", default: 0] += 1
      let price = try #require(row.numbers["price"])
      #expect(row.numbers["total_amount"] == (price * quantity * 100).rounded() / 100)
    }
    #expect(ids.count == events)
    #expect(
      Set(counts["store_id", default: [:]].keys)
        == Set((1...10).map { String(format: "S%03d", $0) }))
    #expect(Set(counts["product_id", default: [:]].keys) == ["P100", "P101", "P102", "P103"])
    #expect(
      Set(counts["category", default: [:]].keys) == ["electronics", "clothing", "home", "grocery"])
    #expect(Set(counts["quantity", default: [:]].keys) == ["1", "2", "3", "4", "5"])
    let customers = Set(counts["customer_id", default: [:]].keys)
    #expect(customers.isSubset(of: Set((1...5_000).map { String(format: "C%06d", $0) })))
    #expect(customers.count > 4_950)
    for (field, kinds) in ["store_id": 10, "product_id": 4, "quantity": 5, "customer_id": 5_000] {
      let expected = Double(events) / Double(kinds)
      let statistic = counts[field, default: [:]].values.reduce(0) {
        $0 + (Double($1) - expected) * (Double($1) - expected) / expected
      }
      // Far beyond where chi squared of a fair draw lies: its mean is the degrees of freedom.
      let freedom = Double(kinds - 1)
      #expect(statistic < freedom + 6 * (2 * freedom).squareRoot(), "\(field)")
    }
  }

  @Test("event times rise through the interval, evenly, and are its start when it is empty")
  func times() throws {
    func times(_ count: Int, _ start: Int64, _ end: Int64) -> [Int64] {
      var random = SeededRandom(seed: 1)
      var times = EventTimes(count: count, from: start, to: end)
      return (0..<count).map { _ in times.next(using: &random) }
    }
    for (count, length) in [(1, 1), (7, 100), (1_000, 999), (1_000, 86_400_000_000), (3, 2)] {
      let start = Fixtures.start
      let made = times(count, start, start + Int64(length))
      #expect(made == made.sorted())
      for (index, time) in made.enumerated() {
        let part = Double(index) * Double(length) / Double(count)
        #expect(Double(time - start) > part - 1)
        #expect(Double(time - start) < part + Double(length) / Double(count) + 1)
        #expect((start..<start + Int64(length)).contains(time))
      }
    }
    #expect(times(3, 5, 5) == [5, 5, 5])
  }

  @Test("keys rise from object to object, also when arrivals do not")
  func keysRise() throws {
    var generator = try generator()
    var storage: [UInt8] = []
    let end = Fixtures.start
    var keys: [RawObjectKey] = []
    for offset in [0, 0, 0, -3_600_000_000, 1, 999, 3_600_000_000, 60_000_000, 86_400_000_000] {
      let object = try generator.makeObject(
        eventCount: 1, from: end, to: end, arrivalMicros: end + Int64(offset), reusing: &storage)
      keys.append(object.key)
    }
    #expect(keys == keys.sorted())
    #expect(Set(keys).count == keys.count)
    #expect(keys[3].text.hasPrefix("raw/yyyy=2026/mm=11/dd=23/HH=17/"))
    #expect(keys[8].text.hasPrefix("raw/yyyy=2026/mm=11/dd=24/HH=17/"))
  }

  @Test("a reused body changes nothing and leaves the caller's storage empty")
  func reuse() throws {
    var first = try generator("all=0.3")
    var second = try generator("all=0.3")
    var storage: [UInt8] = Array("left over".utf8)
    for index in 0..<5 {
      let time = Fixtures.start + Int64(index)
      var none: [UInt8] = []
      let fresh = try first.makeObject(
        eventCount: 50, from: time, to: time, arrivalMicros: time, reusing: &none)
      let reused = try second.makeObject(
        eventCount: 50, from: time, to: time, arrivalMicros: time, reusing: &storage)
      #expect(fresh == reused)
      #expect(storage.isEmpty)
      storage = reused.body
    }
  }

  @Test("a generator restored from its stored state goes on as if it had never stopped")
  func continuity() throws {
    let spec = "default,duplicate=0.2,conflict=0.1"
    var whole = try generator(spec)
    let expected = try Fixtures.objects(6, events: 300, with: &whole)

    var first = try generator(spec)
    var objects = try Fixtures.objects(3, events: 300, with: &first)
    let stored = try JSONEncoder().encode(first.snapshot())
    #expect(stored.count < 130_000)
    var second = EventGenerator(
      world: try Fixtures.world(), seed: 0, faults: try FaultPlan(spec: spec))
    second = try EventGenerator(
      world: try Fixtures.world(), faults: try FaultPlan(spec: spec),
      restoring: JSONDecoder().decode(EventGenerator.State.self, from: stored))
    objects += try Fixtures.objects(
      3, events: 300, from: Fixtures.start + 3 * Fixtures.minute, with: &second)

    #expect(objects == expected)
    #expect(second.seed == 5)
    #expect(second.eventsMade == 1_800)
    #expect(second.snapshot() == whole.snapshot())
  }

  @Test("a state of another world, of another version or with nonsense in it is refused")
  func incompatibleStates() throws {
    var generator = try generator("duplicate=0.1")
    _ = try Fixtures.objects(1, events: 20, with: &generator)
    let state = generator.snapshot()
    func refusal(_ world: World, _ state: EventGenerator.State) -> String? {
      let error = #expect(throws: SimulatorError.self) {
        try EventGenerator(world: world, restoring: state)
      }
      #expect(error?.code == .incompatibleState)
      return error?.message
    }
    #expect(
      refusal(try Fixtures.world(Fixtures.awkwardCatalogueText), state)
        == "the simulator's saved state belongs to another world or catalogue; start without it")

    func edited(_ edit: (inout [String: Any]) -> Void) throws -> EventGenerator.State {
      let stored = try JSONEncoder().encode(state)
      var object = try #require(try JSONSerialization.jsonObject(with: stored) as? [String: Any])
      edit(&object)
      return try JSONDecoder().decode(
        EventGenerator.State.self, from: JSONSerialization.data(withJSONObject: object))
    }
    let world = try Fixtures.world()
    #expect(
      refusal(world, try edited { $0["version"] = 1 })
        == "the simulator's saved state has version 1, not 2; start without it")
    let damaged = "the simulator's saved state is damaged; start without it"
    #expect(refusal(world, try edited { $0["lastArrivalMicros"] = -1 }) == damaged)
    #expect(refusal(world, try edited { $0["eventsMade"] = -1 }) == damaged)
    func withFirstEvent(_ key: String, _ value: Any) throws -> EventGenerator.State {
      try edited { object in
        guard var history = object["history"] as? [String: Any],
          var entries = history["entries"] as? [[String: Any]],
          var event = entries[0]["event"] as? [String: Any]
        else { return }
        event[key] = value
        entries[0]["event"] = event
        history["entries"] = entries
        object["history"] = history
      }
    }
    #expect(refusal(world, try withFirstEvent("product", 4)) == damaged)
    #expect(refusal(world, try withFirstEvent("priceCents", -1)) == damaged)
    #expect(refusal(world, try withFirstEvent("quantity", 0)) == damaged)
    #expect(refusal(world, try withFirstEvent("timestampMicros", 0)) == damaged)
  }

  @Test("an impossible request is refused in one sentence and changes nothing")
  func impossibleRequests() throws {
    var generator = try generator()
    let before = generator.snapshot()
    let start = Fixtures.start
    let cases: [(Int, Int64, Int64, Int64, String)] = [
      (-1, start, start, start, "an object cannot have -1 events"),
      (1, start, start - 1, start, "the events would end before they start"),
      (1, 0, start, start, "the time 1970-01-01 is outside the years 2000 to 2099"),
      (
        1, start, 4_102_444_800_000_000, start,
        "the time 2100-01-01 is outside the years 2000 to 2099"
      ),
      (1, start, start, -1, "the time 1969-12-31 is outside the years 2000 to 2099"),
    ]
    for (count, from, to, arrival, message) in cases {
      var storage: [UInt8] = []
      let error = #expect(throws: SimulatorError.self) {
        try generator.makeObject(
          eventCount: count, from: from, to: to, arrivalMicros: arrival, reusing: &storage)
      }
      #expect(error?.description == message)
      #expect(error?.code == .invalidRequest)
    }
    #expect(generator.snapshot() == before)
  }
}
