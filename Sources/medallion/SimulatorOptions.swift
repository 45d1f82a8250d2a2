import ArgumentParser
import Pipeline
import Simulator

/// What the simulator is asked for, by `simulate` and by `run`.
struct SimulatorOptions: ParsableArguments {
  @Option(
    help: """
      plain, the original script's: 10 stores, 4 products, everything equally likely; or retail: \
      stores around the world, opening hours, seasons, prices, customers who return. (default: \
      \(Self.defaultWorlds))
      """)
  var world: WorldName?

  @Option(help: "Events an object holds: 1 to 1000000.")
  var batchSize: BatchSize?

  @Option(help: "Seconds between objects, as in the original script.")
  var sleep: Pause?

  @Option(
    help: "Events a second, from 0.001 on, or 'max'. In a retail world the mean of a typical week.")
  var rate: Rate?

  @Option(help: "Stop after so many events.")
  var events: EventCount?

  @Option(
    help:
      "Faults to inject: none, default, or rates such as late=0.01,corrupt=0.005,all=0; see above."
  )
  var faults: String?

  @Option(help: "A number; with the same seed and virtual clock the same objects are made.")
  var seed: UInt64?

  @Option(help: "Append what was injected, line by line, and what is true, to this file.")
  var answerKey: String?

  /// What is asked for, but for the clock and the state.
  ///
  /// - Parameters:
  ///   - world: the world if nothing names one.
  ///   - unpaced: the pace if nothing names one.
  ///   - faults: what is injected if nothing says.
  func request(
    _ settings: Settings, world fallback: World.Name, unpaced: SimulatorRequest.Pace,
    faults: FaultPlan
  ) throws -> SimulatorRequest {
    let world = try (world ?? settings.value("world", WorldName.init))?.name ?? fallback
    let pace = try pace(settings, unpaced: unpaced)
    let plan = try plan(settings, unless: faults)
    let events = try eventCount(settings)
    let seed = try seed(settings)
    let answerKey = try answerKey(settings)
    let home = try Home.find()
    let catalogue: ProductCatalogue
    do {
      catalogue = try ProductCatalogue(of: world, in: home)
    } catch let error as SimulatorError {
      throw UsageError(error.description)
    }
    var request = SimulatorRequest(world: world, catalogue: catalogue, pace: pace)
    request.faults = plan
    request.events = events
    request.seed = seed
    request.answerKey = answerKey
    return request
  }

  private static let defaultWorlds = "retail with run, else plain"

  /// Every fault's name with what it is, for `--help`.
  static let faultsHelp: String = {
    let names =
      FaultGroup.allCases.map { ($0.rawValue, $0.summary) }
      + FaultKind.allCases.map { ($0.rawValue, $0.summary) }
    return "Faults, each with a rate from 0 to 1; 'none' is none of them, 'default' is\n  "
      + FaultPlan.defaultSpec.replacing("corrupt=", with: "\n  corrupt=")
      .replacing("disorder=", with: "\n  disorder=") + "\n\n"
      + names.map { name, summary in
        "  " + name + String(repeating: " ", count: max(1, 18 - name.count)) + summary
      }.joined(separator: "\n")
        + """
        \n
        The rate of a group is shared out among its faults; a fault's own rate goes before its \
        group's.
        """
  }()

  /// - Parameter unpaced: the pace if nothing names one.
  func pace(_ settings: Settings, unpaced: SimulatorRequest.Pace) throws
    -> SimulatorRequest.Pace
  {
    if rate != nil, sleep != nil { throw UsageError("--rate and --sleep exclude each other") }
    let size = try (batchSize ?? settings.value("batch-size", BatchSize.init))?.events
    // A flag goes before a setting, whichever of the two it names.
    let rate = try self.rate ?? (sleep == nil ? settings.value("rate", Rate.init) : nil)
    let pause = try sleep ?? (rate == nil ? settings.value("sleep", Pause.init) : nil)
    switch rate {
    case .perSecond(let number): return .rate(number, size: size)
    case .maximum: return .maximum(size: size ?? 10_000)
    case nil: break
    }
    if let pause { return .batches(size: size ?? 20, pause: pause.duration) }
    if try eventCount(settings) != nil { return .maximum(size: size ?? 10_000) }
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

/// A world by its name.
struct WorldName: ExpressibleByArgument {
  let name: World.Name

  init?(argument: String) {
    guard let name = World.Name(rawValue: argument) else { return nil }
    self.name = name
  }

  static let allValueStrings = World.Name.allCases.map(\.rawValue)
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

/// How many times as fast as real time a virtual clock goes.
struct Speed: ExpressibleByArgument {
  let factor: Double

  init?(argument: String) {
    guard let factor = Double(argument), (0.001...1_000_000_000).contains(factor) else {
      return nil
    }
    self.factor = factor
  }
}
