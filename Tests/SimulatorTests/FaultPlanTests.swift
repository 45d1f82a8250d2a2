import Simulator
import Testing

@Suite("Fault lists")
struct FaultPlanTests {
  @Test("none injects nothing, and so does a rate of zero")
  func none() throws {
    #expect(try FaultPlan(spec: "none") == .none)
    #expect(try FaultPlan(spec: "late=0,corrupt=0") == .none)
    #expect(FaultPlan.none.rates.isEmpty)
    #expect(FaultPlan.none.description == "none")
  }

  @Test("names have rates, blanks around them do not count")
  func rates() throws {
    let plan = try FaultPlan(spec: " late=0.01, duplicate = 1e-2 ,blank=1")
    #expect(plan.rates == [.late: 0.01, .duplicate: 0.01, .blank: 1])
    #expect(plan.description == "late=0.01,duplicate=0.01,blank=1.0")
    #expect(try FaultPlan(spec: plan.description) == plan)
  }

  @Test("a group shares its rate out evenly, but for the costly line_too_long")
  func groups() throws {
    let plan = try FaultPlan(spec: "corrupt=0.10001")
    let quarantined = FaultKind.allCases.filter { $0.expectedReason == $0.rawValue }
    #expect(Set(plan.rates.keys) == Set(quarantined))
    #expect(abs((plan.rates[.malformedJSON] ?? 0) - 0.01) < 1e-12)
    #expect(abs((plan.rates[.lineTooLong] ?? 0) - 0.00001) < 1e-12)
    #expect(abs(plan.rates.values.reduce(0, +) - 0.10001) < 1e-12)
    #expect(try Set(FaultPlan(spec: "all=0.5").rates.keys) == Set(FaultKind.allCases))
    #expect(try FaultPlan(spec: "rescue=0.5").rates == [.unknownField: 0.25, .badType: 0.25])
  }

  @Test("a fault's own rate stands before its group's, a smaller group's before a larger one's")
  func precedence() throws {
    let plan = try FaultPlan(spec: "late=0.2,rescue=0.02,all=0.1,bad_type=0")
    #expect(plan.rates[.late] == 0.2)
    #expect(plan.rates[.unknownField] == 0.01)
    #expect(plan.rates[.badType] == nil)
    #expect(try FaultPlan(spec: "all=0.1,bad_type=0,rescue=0.02,late=0.2") == plan)
  }

  @Test(
    "default has every fault but the costly line_too_long and the clocks that would run ahead")
  func defaults() throws {
    #expect(try FaultPlan(spec: "default") == .default)
    #expect(try FaultPlan(spec: FaultPlan.defaultSpec) == .default)
    #expect(
      Set(FaultPlan.default.rates.keys)
        == Set(FaultKind.allCases).subtracting([.lineTooLong, .clockSkew]))
    #expect(FaultPlan.default.rates.values.reduce(0, +) < 0.09)
    var changed = FaultPlan.default.rates
    changed[.late] = 0.3
    changed[.blank] = nil
    #expect(try FaultPlan(spec: "default,late=0.3,blank=0").rates == changed)
  }

  @Test(
    "a fault list that makes no sense is refused in one sentence",
    arguments: [
      ("typo=0.1", unknown("typo")), ("", unknown("")), ("late=0.1,", unknown("")),
      ("none,late=0.1", unknown("none")), ("late=0.1,default", unknown("default")),
      ("LATE=0.1", unknown("LATE", nearest: "late")),
      ("lat=0.1", unknown("lat", nearest: "late")),
      ("conflikt=0.1", unknown("conflikt", nearest: "conflict")),
      ("missing_timestamp=0.1", unknown("missing_timestamp")),
      ("late", "the fault 'late' has no rate; write late=0.01"),
      ("late=", badRate("", "late")), ("late=x", badRate("x", "late")),
      ("late=-0.1", badRate("-0.1", "late")), ("late=1.01", badRate("1.01", "late")),
      ("late=nan", badRate("nan", "late")), ("corrupt=inf", badRate("inf", "corrupt")),
      ("late=0.1=0.2", badRate("0.1=0.2", "late")),
      ("late=0.1,late=0.2", "the fault 'late' stands twice in 'late=0.1,late=0.2'"),
      (
        "late=0.6,corrupt=0.5",
        "the fault rates add up to more than 1; an event has at most one fault, so lower them"
      ),
    ])
  func refused(spec: String, message: String) {
    let error = #expect(throws: SimulatorError.self) { try FaultPlan(spec: spec) }
    #expect(error?.description == message)
    #expect(error?.code == .invalidFaults)
  }

  @Test("rates given as numbers are checked as well")
  func numbers() {
    #expect(throws: SimulatorError.self) { try FaultPlan(rates: [.late: .nan]) }
    #expect(throws: SimulatorError.self) { try FaultPlan(rates: [.late: -0.1]) }
    #expect(throws: SimulatorError.self) { try FaultPlan(rates: [.late: 0.6, .messy: 0.6]) }
    #expect(throws: Never.self) { try FaultPlan(rates: [.late: 0.5, .messy: 0.5, .blank: 1]) }
  }

  private static func unknown(_ name: String, nearest: String? = nil) -> String {
    "there is no fault '\(name)'\(nearest.map { ", did you mean '\($0)'?" } ?? ";") "
      + "use none, default, or name=rate with these names: "
      + "corrupt, rescue, all, late, duplicate, conflict, messy, unknown_field, bad_type, blank, "
      + "malformed_json, invalid_unicode, too_deep, not_an_object, duplicate_key, "
      + "missing_event_id, invalid_event_id, missing_ts, invalid_ts, ts_out_of_range, "
      + "line_too_long, offline, disorder, clock_skew, missing_field, drift, truncated"
  }

  private static func badRate(_ rate: String, _ name: String) -> String {
    "the rate '\(rate)' of '\(name)' is no number from 0 to 1, such as 0.01"
  }
}
