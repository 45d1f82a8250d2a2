import Foundation

/// How far a simulator is in a lake, and which world it simulates: the file `simulator.json`.
///
/// With a virtual clock it is written about once a second, so that a simulator that was stopped or
/// killed goes on where it was: what it made since is made again, byte for byte, which does no harm.
/// By the wall clock it holds the seed of a retail world, which stays the same for a lake.
struct SimulatorState: Codable {
  /// Everything on which the objects depend; another plan starts anew.
  struct Plan: Codable, Equatable {
    var world: World.Name
    var seed: UInt64
    var prefix: String
    var faults: String
    var pace: String
    var fromMicros: Int64?
    var stepMicros: Int64?
    /// Only where events fill the time up to it.
    var untilMicros: Int64?
    /// Only where so many events fill the time.
    var events: Int?
  }

  /// Where a plan stands between two objects.
  struct Progress: Codable {
    var generator: EventGenerator.State
    var simulatedMicros: Int64
    var eventsMade: Int
    var lastObject: String?
  }

  private static let currentFormat = 1

  private var format = Self.currentFormat
  var plan: Plan
  /// How often a simulator was started by the wall clock.
  var starts = 0
  /// The seed of the lake's retail world; nil if it has had none.
  var retailSeed: UInt64?
  /// The year of that world's first event.
  var retailFirstYear: Int?
  var progress: Progress?

  init(plan: Plan) { self.plan = plan }

  /// Reads the file; nil if there is none, or none that this program understands.
  static func read(_ path: String) -> SimulatorState? {
    guard let data = FileManager.default.contents(atPath: path),
      let state = try? JSONDecoder().decode(SimulatorState.self, from: data),
      state.format == currentFormat
    else { return nil }
    return state
  }

  /// Writes the file in place of the one that is there.
  func write(_ path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

extension SimulatorState.Plan {
  /// The plan of a request whose seed is known.
  init(_ request: SimulatorRequest, seed: UInt64) {
    world = request.world
    self.seed = seed
    prefix = request.prefix
    faults = request.faults.description
    pace = String(describing: request.pace)
    fromMicros = request.clock?.fromMicros
    stepMicros = request.clock?.stepMicros
    if case .maximum = request.pace {
      untilMicros = request.clock?.untilMicros
      events = request.events
    }
  }
}
