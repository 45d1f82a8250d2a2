import Foundation
import GRDB
import Lake

/// How long something took, each time that it was done: a histogram that goes on over restarts, and
/// over processes.
public struct Timing: Codable, Sendable, Equatable {
  public enum Name: String, CaseIterable, Sendable {
    /// From the start of a batch to its publication.
    case bronzeBatch = "bronze.batch"
    /// From the arrival of a batch's oldest object to its commit.
    case bronzeLag = "bronze.lag"
    /// From a file's commit, or its notice, to its load.
    case pipeLag = "pipe.lag"
    /// A run of dbt.
    case refresh = "transform.refresh"
    /// The age of the newest event in gold, right after a refresh that brought one.
    case freshness = "gold.freshness"

    var gauge: String { "timing.\(rawValue)" }
  }

  /// The upper bounds of the classes, in seconds; one more class has what is longer.
  public static let bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

  /// How many there were in each class.
  public private(set) var counts = Array(repeating: 0, count: bounds.count + 1)
  /// The sum of all.
  public private(set) var seconds = 0.0
  public private(set) var lastSeconds = 0.0
  /// When the last one ended; RFC 3339, UTC.
  public private(set) var at = ""

  public init() {}

  public var count: Int { counts.reduce(0, +) }

  mutating func add(_ seconds: Double, at now: Date) {
    // A clock that was set back makes no negative time.
    let seconds = max(0, seconds)
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    self.seconds += seconds
    lastSeconds = seconds
    at = Timestamp.text(now)
  }
}

/// What the ledger counts besides what commits say.
public enum Tally: String, CaseIterable, Sendable {
  case bronzeRetries = "bronze.retries"
  case pipeRetries = "pipe.retries"
  case failedLoads = "pipe.failed"
  case failedRefreshes = "transform.failed"

  var gauge: String { "tally.\(rawValue)" }
}

extension Ledger {
  /// Notes how long things took that ended just now.
  public func observe(_ times: [(Timing.Name, seconds: Double)]) throws {
    try write { try Self.observe(times, $0) }
  }

  static func observe(
    _ times: [(Timing.Name, seconds: Double)], _ database: Database
  ) throws {
    let now = Date()
    for (name, group) in Dictionary(grouping: times, by: \.0) {
      var timing = try gauge(name.gauge, as: Timing.self, database) ?? Timing()
      for time in group { timing.add(time.seconds, at: now) }
      try setGauge(name.gauge, timing, database)
    }
  }

  public func timing(_ name: Timing.Name) throws -> Timing {
    try gauge(name.gauge, as: Timing.self) ?? Timing()
  }

  public func tally(_ tally: Tally) throws -> Int { try gauge(tally.gauge, as: Int.self) ?? 0 }

  public func count(_ tally: Tally) throws { try write { try Self.count(tally, $0) } }

  static func count(_ tally: Tally, _ database: Database) throws {
    try setGauge(tally.gauge, (try gauge(tally.gauge, as: Int.self, database) ?? 0) + 1, database)
  }
}
