import Testing
import Transform

@Suite struct RefreshScheduleTests {
  private let start = ContinuousClock.now

  /// A schedule, and what it decides at some seconds; each refresh goes through.
  private func decisions(at seconds: [Int]) -> [RefreshSchedule.Scope] {
    var schedule = RefreshSchedule(wholeInterval: .seconds(60))
    return seconds.map { second in
      let scope = schedule.begin(at: start + .seconds(second))
      schedule.succeeded(scope)
      return scope
    }
  }

  @Test func `the first refresh is of the whole graph, and then one a minute`() {
    #expect(
      decisions(at: [0, 1, 2, 59, 60, 61, 119, 120])
        == [.whole, .live, .live, .live, .whole, .live, .live, .whole])
    #expect(decisions(at: [0, 200, 201, 260]) == [.whole, .whole, .live, .whole])
  }

  @Test func `what only the live models have seen is owed to the others`() {
    var schedule = RefreshSchedule(wholeInterval: .seconds(60))
    #expect(schedule.wholeIsDue == nil)
    schedule.succeeded(schedule.begin(at: start))
    #expect(schedule.wholeIsDue == nil)
    schedule.succeeded(schedule.begin(at: start + .seconds(5)))
    #expect(schedule.wholeIsDue == start + .seconds(60))
    schedule.succeeded(schedule.begin(at: start + .seconds(60)))
    #expect(schedule.wholeIsDue == nil)
  }

  @Test func `a whole refresh that fails is due again a minute later, live ones go on`() {
    var schedule = RefreshSchedule(wholeInterval: .seconds(60))
    #expect(schedule.begin(at: start) == .whole)
    #expect(schedule.wholeIsDue == start + .seconds(60))
    #expect(schedule.begin(at: start + .seconds(1)) == .live)
    schedule.succeeded(.live)
    #expect(schedule.wholeIsDue == start + .seconds(60))
    #expect(schedule.begin(at: start + .seconds(60)) == .whole)
    #expect(schedule.wholeIsDue == start + .seconds(120))
  }

  @Test func `live refreshes that fail do not put off the whole one`() {
    var schedule = RefreshSchedule(wholeInterval: .seconds(60))
    schedule.succeeded(schedule.begin(at: start))
    #expect(schedule.begin(at: start + .seconds(1)) == .live)
    #expect(schedule.begin(at: start + .seconds(2)) == .live)
    #expect(schedule.wholeIsDue == start + .seconds(60))
    #expect(schedule.begin(at: start + .seconds(60)) == .whole)
  }
}
