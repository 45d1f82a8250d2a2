import ArgumentParser
import Pipeline
import Simulator

/// What the simulator is asked for, by `simulate` and by `run`.
struct SimulatorOptions: ParsableArguments {
  @Option(help: "Events an object holds.")
  var batchSize: Int?

  @Option(help: "Seconds between objects, as in the original script.")
  var sleep: Double?

  @Option(help: "Events a second, or 'max'.")
  var rate: String?

  @Option(help: "Stop after so many events.")
  var events: Int?

  @Option(
    help:
      "Faults to inject: none, default, or rates such as late=0.01,duplicate=0.01,corrupt=0.005."
  )
  var faults: String?

  @Option(help: "A number; with the same seed and virtual clock the same objects are made.")
  var seed: UInt64?

  @Option(help: "Append what was injected, line by line, to this file.")
  var answerKey: String?

  /// - Parameter unpaced: the pace if nothing names one.
  func pace(_ settings: Settings, unpaced: SimulatorService.Pace) throws
    -> SimulatorService.Pace
  {
    let size = try batchSize ?? settings.value("batch-size") { Int($0) }
    if let size, !(1...1_000_000).contains(size) {
      throw UsageError("--batch-size is \(size): an object holds 1 to 1000000 events")
    }
    if let events, events < 0 { throw UsageError("--events is \(events): it cannot be negative") }
    let pause = try sleep ?? settings.value("sleep") { Double($0) }
    if let pause, !(pause >= 0 && pause.isFinite) {
      throw UsageError("--sleep is \(pause): it is a number of seconds from 0 on")
    }
    if let rate, sleep != nil {
      throw UsageError("--rate \(rate) and --sleep exclude each other: name one")
    }
    let rate = try sleep == nil ? rate ?? settings.value("rate") { $0 } : nil
    if let rate {
      if rate == "max" { return .maximum(size: size ?? 1000) }
      guard let number = Double(rate), number > 0, number <= 10_000_000 else {
        throw UsageError("--rate is '\(rate)': it is 'max' or a number of events a second above 0")
      }
      return .rate(number, size: size)
    }
    if let pause { return .batches(size: size ?? 20, pause: .seconds(pause)) }
    if events != nil { return .maximum(size: size ?? 1000) }
    if let size, case .batches(_, let pause) = unpaced { return .batches(size: size, pause: pause) }
    if let size, case .rate(let rate, _) = unpaced { return .rate(rate, size: size) }
    return unpaced
  }

  func plan(_ settings: Settings, unless fallback: FaultPlan) throws -> FaultPlan {
    guard let spec = try faults ?? settings.value("faults", { $0 }) else { return fallback }
    do {
      return try FaultPlan(spec: spec)
    } catch {
      throw UsageError("--faults: \(error)")
    }
  }

  func seed(_ settings: Settings) throws -> UInt64? {
    try seed ?? settings.value("seed") { UInt64($0) }
  }
}
