import Simulator
import Testing

@Suite("What the next object holds, and when it is due")
struct ObjectPlannerTests {
  private static let hour: Int64 = 3_600_000_000

  private func request(
    _ pace: SimulatorRequest.Pace, world: World.Name = .plain, events: Int? = nil,
    clock: SimulatorRequest.VirtualClock? = nil
  ) throws -> SimulatorRequest {
    let catalogue = try ProductCatalogue(csv: Fixtures.catalogueText)
    var request = SimulatorRequest(world: world, catalogue: catalogue, pace: pace)
    request.events = events
    request.clock = clock
    return request
  }

  /// Every plan, as if each object ended where its plan says.
  private func plans(_ request: SimulatorRequest, limit: Int = 100) -> [ObjectPlanner.Plan] {
    let planner = ObjectPlanner(request)
    var plans: [ObjectPlanner.Plan] = []
    var made = 0
    var simulated = request.clock?.fromMicros ?? 0
    while plans.count < limit, let plan = planner.next(made: made, simulated: simulated) {
      plans.append(plan)
      made += plan.count
      simulated = plan.endMicros ?? simulated
    }
    return plans
  }

  @Test("batches pause after each object, and not before the first")
  func batches() throws {
    let made = plans(try request(.batches(size: 20, pause: .seconds(2)), events: 50))
    #expect(made.map(\.count) == [20, 20, 10])
    #expect(made.map(\.dueSeconds) == [nil, 2, 4])
  }

  @Test("at a rate an object is due when its last event has happened")
  func rate() throws {
    let made = plans(try request(.rate(100, size: nil), events: 120))
    #expect(made.map(\.count) == [50, 50, 20])
    #expect(made.map(\.dueSeconds) == [0.5, 1, 1.2])
    #expect(plans(try request(.rate(100, size: 7)), limit: 1)[0].count == 7)
    #expect(plans(try request(.rate(0.01, size: nil)), limit: 1)[0].count == 1)
  }

  @Test("events without a pace fill a virtual clock evenly, to its very end")
  func filling() throws {
    let clock = SimulatorRequest.VirtualClock(fromMicros: 0, untilMicros: Self.hour)
    let made = plans(try request(.maximum(size: 40), events: 100, clock: clock))
    #expect(made.map(\.count) == [40, 40, 20])
    #expect(made.map(\.endMicros) == [Self.hour * 4 / 10, Self.hour * 8 / 10, Self.hour])
    #expect(made.allSatisfy { $0.dueSeconds == nil && !$0.isDrawn })
  }

  @Test("steps cover a span each, and keep the rate up to their ends")
  func steps() throws {
    let clock = SimulatorRequest.VirtualClock(
      fromMicros: 0, untilMicros: Self.hour, stepMicros: Self.hour / 3 + 1)
    let made = plans(try request(.rate(0.001, size: nil), clock: clock))
    // 3.6 events in the hour.
    #expect(made.map(\.count) == [1, 1, 2])
    #expect(made.last?.endMicros == Self.hour)
  }

  @Test("a retail world draws its times, up to where the clock ends")
  func drawing() throws {
    let clock = SimulatorRequest.VirtualClock(fromMicros: 0, untilMicros: Self.hour)
    let plan = plans(try request(.rate(5, size: 10), world: .retail, clock: clock), limit: 1)[0]
    #expect(plan.isDrawn && plan.count == 10 && plan.endMicros == Self.hour)
    #expect(plans(try request(.rate(5, size: 10), world: .retail), limit: 1)[0].isDrawn)
    #expect(!plans(try request(.maximum(size: 10), world: .retail), limit: 1)[0].isDrawn)
  }
}
