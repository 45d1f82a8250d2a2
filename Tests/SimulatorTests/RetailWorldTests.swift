import Foundation
import Simulator
import Testing

@Suite("Retail world")
struct RetailWorldTests {
  private static let day: Int64 = 86_400_000_000
  /// 2026-06-07T00:00:00Z, a Sunday in a week without holidays.
  private static let sunday: Int64 = 1_780_790_400_000_000

  /// Events spread over a time by the curves of the world, clean ones.
  private func rows(
    _ count: Int, from start: Int64, to end: Int64, in world: RetailWorld
  ) throws -> [LineJudge.Row] {
    var generator = EventGenerator(world: .retail(world), seed: 4)
    generator.beginArrivals(fromMicros: start, untilMicros: end, count: count)
    var times: [Int64] = []
    generator.drawTimes(count, until: end, reusing: &times)
    #expect(times.count == count)
    #expect(times == times.sorted())
    #expect(times.allSatisfy { (start..<end).contains($0) })
    var storage: [UInt8] = []
    let object = try generator.makeObject(at: times, arrivalMicros: end, reusing: &storage)
    return JudgedLine.all(of: [object]).compactMap {
      guard case .accepted(let row) = $0.verdict else { return nil }
      return row
    }
  }

  private func file(
    _ name: DimensionFile.Name, of world: RetailWorld, years: ClosedRange<Int> = 2025...2027
  ) throws -> [[String: String]] {
    let file = try #require(
      DimensionFile.all(of: world, years: years).first { $0.name == name })
    let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
    let header = lines[0].split(separator: ",").map(String.init)
    return lines.dropFirst().map { line in
      // A comma in a name stands between quotes.
      let fields = line.replacing(/"([^"]*)"/) { $0.1.replacing(",", with: ";") }
        .split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return Dictionary(uniqueKeysWithValues: zip(header, fields))
    }
  }

  @Test("stores sell only while they are open, in their own time")
  func openingHours() throws {
    let world = try Fixtures.retailWorld()
    let stores = Dictionary(
      uniqueKeysWithValues: try file(.stores, of: world).map { ($0["store_id", default: ""], $0) })
    // Over the day on which Europe's clocks go back, too.
    let start: Int64 = 1_792_800_000_000_000
    for row in try rows(20_000, from: start, to: start + 2 * Self.day, in: world) {
      let store = try #require(stores[row.texts["store_id"] ?? ""])
      var calendar = Calendar(identifier: .gregorian)
      calendar.timeZone = try #require(TimeZone(identifier: store["timezone", default: ""]))
      let hour = calendar.component(
        .hour, from: Date(timeIntervalSince1970: Double(row.timestampMicros) / 1e6))
      let opens = try #require(Int(store["opens", default: ""].prefix(2)))
      let closes = try #require(Int(store["closes", default: ""].prefix(2)))
      #expect((opens..<closes).contains(hour), "\(store)")
    }
  }

  @Test("an event has the price that the product's dimension file has at its time")
  func prices() throws {
    let world = try Fixtures.retailWorld()
    let prices = Dictionary(grouping: try file(.products, of: world)) { $0["product_id"] ?? "" }
    #expect(prices.count == world.products.count)
    #expect(prices.values.contains { $0.count > 4 })
    let end = Self.sunday + 90 * Self.day
    var sold: Set<String> = []
    for row in try rows(20_000, from: Self.sunday, to: end, in: world) {
      let id = try #require(row.texts["product_id"])
      sold.insert(id)
      let time = Date(timeIntervalSince1970: Double(row.timestampMicros) / 1e6)
        .formatted(.iso8601)
      // No row is valid before a launch, so nothing is sold before it either.
      let valid = try #require(prices[id]?.last { ($0["valid_from"] ?? "") <= time })
      #expect(row.numbers["price"] == Double(valid["price"] ?? ""))
      #expect(row.texts["category"] == valid["category"])
    }
    #expect(sold.count > 50)
  }

  @Test("a few products, customers and hours make most of the sales")
  func skew() throws {
    let rows = try rows(
      30_000, from: Self.sunday, to: Self.sunday + 7 * Self.day, in: Fixtures.retailWorld())
    func counts(_ name: (LineJudge.Row) -> String) -> [Int] {
      Dictionary(grouping: rows, by: name).values.map(\.count).sorted(by: >)
    }
    let products = counts { $0.texts["product_id"] ?? "" }
    #expect(products.prefix(10).reduce(0, +) > rows.count / 2)
    let customers = counts { ($0.texts["customer_id"] ?? "").trimmingCharacters(in: .whitespaces) }
    #expect(customers.prefix(customers.count / 5).reduce(0, +) > rows.count / 3)
    let weekdays = counts { "\(($0.timestampMicros / Self.day + 4) % 7)" }
    #expect(weekdays.count == 7)
    #expect(Double(weekdays[0]) > 1.3 * Double(weekdays[6]))
  }

  @Test("customers arrive as they do in life, and each other id is in the list of identities")
  func identities() throws {
    let world = try Fixtures.retailWorld()
    let identities = try file(.customerIdentities, of: world)
    let known = Set(identities.compactMap { $0["alias"] })
    #expect(known.count == identities.count)
    var forms: [String: Int] = [:]
    for row in try rows(20_000, from: Self.sunday, to: Self.sunday + Self.day, in: world) {
      let id = try #require(row.texts["customer_id"])
      switch id {
      case let id where id.wholeMatch(of: /C\d{6}/) != nil: forms["canonical", default: 0] += 1
      case let id where id.wholeMatch(of: /c\d{6}/) != nil: forms["lower", default: 0] += 1
      case let id where id.wholeMatch(of: #/ C\d{6} /#) != nil: forms["padded", default: 0] += 1
      default:
        #expect(known.contains(id), "\(id)")
        forms[String(id.prefix(3)), default: 0] += 1
      }
    }
    #expect(Set(forms.keys) == ["canonical", "lower", "padded", "WEB", "APP"])
    #expect(forms["canonical", default: 0] > 17_000)
  }

  @Test("a Poisson process keeps its mean rate over a typical week")
  func meanRate() throws {
    let world = try Fixtures.retailWorld()
    var generator = EventGenerator(world: .retail(world), seed: 9)
    generator.beginArrivals(fromMicros: Self.sunday, perSecond: 0.1)
    var times: [Int64] = []
    var count = 0
    let end = Self.sunday + 7 * Self.day
    repeat {
      generator.drawTimes(1_000, until: end, reusing: &times)
      count += times.count
    } while times.count == 1_000
    // A week at 0.1 a second, in a season that is a little slow.
    #expect((55_000...62_000).contains(count))
  }

  @Test("gaps of the process are exponential: a constant rate within a quarter of an hour")
  func exponentialGaps() throws {
    let world = try Fixtures.retailWorld()
    var generator = EventGenerator(world: .retail(world), seed: 9)
    let start = Self.sunday + Self.day / 2
    generator.beginArrivals(fromMicros: start, perSecond: 50)
    var times: [Int64] = []
    generator.drawTimes(40_000, until: start + 890_000_000, reusing: &times)
    let gaps = zip(times, times.dropFirst()).map { Double($1 - $0) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    #expect(gaps.count > 20_000)
    // Of exponential waits 1 - 1/e are below the mean, and the deviation is the mean.
    let below = Double(gaps.count { $0 < mean }) / Double(gaps.count)
    #expect(abs(below - 0.632) < 0.01)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    #expect(abs(variance.squareRoot() / mean - 1) < 0.03)
  }

  @Test("another seed is another world, the same seed the same")
  func seeds() throws {
    let first = DimensionFile.all(of: try Fixtures.retailWorld(seed: 1), years: 2026...2026)
    #expect(
      DimensionFile.all(of: try Fixtures.retailWorld(seed: 1), years: 2026...2026) == first)
    let other = DimensionFile.all(of: try Fixtures.retailWorld(seed: 2), years: 2026...2026)
    for (file, otherFile) in zip(first, other) { #expect(file != otherFile) }
  }

  @Test("a generator goes on from its stored state as if it had never stopped")
  func continuity() throws {
    let world = World.retail(try Fixtures.retailWorld())
    let faults = try FaultPlan(spec: "all=0.4,offline=0.2,line_too_long=0")
    func objects(_ count: Int, with generator: inout EventGenerator) throws -> [RawObject] {
      generator.beginArrivals(fromMicros: Self.sunday, perSecond: 0.5)
      var storage: [UInt8] = []
      var times: [Int64] = []
      return try (0..<count).map { _ in
        generator.drawTimes(300, until: .max, reusing: &times)
        return try generator.makeObject(
          at: times, arrivalMicros: times.last ?? 0, reusing: &storage)
      }
    }
    var whole = EventGenerator(world: world, seed: 3, faults: faults, keepsTruth: true)
    let expected = try objects(8, with: &whole)
    var first = EventGenerator(world: world, seed: 3, faults: faults, keepsTruth: true)
    var made = try objects(5, with: &first)
    let stored = try JSONDecoder().decode(
      EventGenerator.State.self, from: JSONEncoder().encode(first.snapshot()))
    var second = try EventGenerator(
      world: world, faults: faults, restoring: stored, keepsTruth: true)
    made += try objects(3, with: &second)
    #expect(made == expected)
  }

  @Test(
    "retail years begin on the Sunday that the National Retail Federation says",
    arguments: [
      ("2023-01-29", 2023), ("2024-02-04", 2024), ("2025-02-02", 2025), ("2026-02-01", 2026),
    ])
  func retailYears(date: String, year: Int) throws {
    let first = try #require(CivilDate(date)).daysSinceEpoch
    let start = RetailCalendar(daysSinceEpoch: first)
    #expect((start.year, start.month, start.weekOfMonth, start.weekOfYear) == (year, 1, 1, 1))
    let before = RetailCalendar(daysSinceEpoch: first - 1)
    #expect((before.year, before.month) == (year - 1, 12))
    let second = RetailCalendar(daysSinceEpoch: first + 28)
    #expect((second.month, second.weekOfMonth, second.weekOfYear) == (2, 1, 5))
    // 2023 had 53 weeks.
    #expect(before.weekOfYear == (year == 2024 ? 53 : 52))
  }
}
