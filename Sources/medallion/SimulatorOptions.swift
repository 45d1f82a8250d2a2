import ArgumentParser
import Pipeline
import Simulator

/// What the simulator is asked for, by `simulate` and by `run`.
struct SimulatorOptions: ParsableArguments {
  @Option(help: "Events an object holds: 1 to 1000000.")
  var batchSize: BatchSize?

  @Option(help: "Seconds between objects, as in the original script.")
  var sleep: Pause?

  @Option(help: "Events a second, from 0.001 on, or 'max'.")
  var rate: Rate?

  @Option(help: "Stop after so many events.")
  var events: EventCount?

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
    if rate != nil, sleep != nil { throw UsageError("--rate and --sleep exclude each other") }
    let size = try (batchSize ?? settings.value("batch-size", BatchSize.init))?.events
    // A flag goes before a setting, whichever of the two it names.
    let rate = try self.rate ?? (sleep == nil ? settings.value("rate", Rate.init) : nil)
    let pause = try sleep ?? (rate == nil ? settings.value("sleep", Pause.init) : nil)
    switch rate {
    case .perSecond(let number): return .rate(number, size: size)
    case .maximum: return .maximum(size: size ?? 1000)
    case nil: break
    }
    if let pause { return .batches(size: size ?? 20, pause: pause.duration) }
    if try eventCount(settings) != nil { return .maximum(size: size ?? 1000) }
    switch unpaced {
    case .batches(let usual, let pause): return .batches(size: size ?? usual, pause: pause)
    case .rate(let rate, let usual): return .rate(rate, size: size ?? usual)
    case .maximum(let usual): return .maximum(size: size ?? usual)
    }
  }

  func eventCount(_ settings: Settings) throws -> Int? {
    try (events ?? settings.value("events", EventCount.init))?.number
  }

  func answerKey(_ settings: Settings) throws -> String? {
    try answerKey ?? settings.value("answer-key") { $0 }
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

/// Events of one object.
struct BatchSize: ExpressibleByArgument {
  let events: Int

  init?(argument: String) {
    guard let events = Int(argument), (1...1_000_000).contains(events) else { return nil }
    self.events = events
  }
}

/// Seconds between two objects.
struct Pause: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    guard let seconds = Double(argument), seconds >= 0, seconds <= 86_400 else { return nil }
    duration = .seconds(seconds)
  }
}

/// A number of events from 0 on.
struct EventCount: ExpressibleByArgument {
  let number: Int

  init?(argument: String) {
    guard let number = Int(argument), number >= 0 else { return nil }
    self.number = number
  }
}

/// How many events a second.
enum Rate: ExpressibleByArgument {
  case perSecond(Double)
  case maximum

  init?(argument: String) {
    if argument == "max" {
      self = .maximum
    } else if let rate = Double(argument), (0.001...10_000_000).contains(rate) {
      self = .perSecond(rate)
    } else {
      return nil
    }
  }
}
