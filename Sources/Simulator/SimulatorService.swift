import CrashPoint
public import Flow
import Foundation
import Lake
public import Logging
public import ObjectStore
import ServiceLifecycle

/// Simulates purchases and puts them into a store as raw objects, until it is told to stop or has
/// made what it was asked for.
public struct SimulatorService: Sendable {
  /// What was made.
  public struct Report: Sendable, Encodable, Equatable {
    public var objects = 0
    public var events = 0
    public var bytes = 0
    public var elapsedSeconds = 0.0
    /// The achieved rate.
    public var eventsPerSecond: Double {
      elapsedSeconds > 0 ? Double(events) / elapsedSeconds : 0
    }

    enum CodingKeys: String, CodingKey {
      case objects, events, bytes
      case elapsedSeconds = "elapsed_seconds"
      case eventsPerSecond = "events_per_second"
    }

    public init() {}

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(objects, forKey: .objects)
      try container.encode(events, forKey: .events)
      try container.encode(bytes, forKey: .bytes)
      try container.encode(elapsedSeconds, forKey: .elapsedSeconds)
      try container.encode(eventsPerSecond, forKey: .eventsPerSecond)
    }
  }

  private let store: (any ObjectStore)?
  private let stream: Stream?
  private let request: SimulatorRequest
  private let backlog: Backlog?
  private let logger: Logger
  private let made: @Sendable (_ key: String, _ events: Int) -> Void

  /// Takes lines, each with its line feed, and returns when they are safe.
  public typealias Stream = @Sendable (_ lines: [[UInt8]]) async throws -> Void

  /// - Parameters:
  ///   - store: where raw objects and dimensions are put; nil for a stream without.
  ///   - stream: takes the events in place of raw objects.
  ///   - backlog: what the next stage has not taken yet, in bytes.
  ///   - made: called after each object.
  public init(
    store: (any ObjectStore)?, stream: Stream? = nil, request: SimulatorRequest,
    backlog: Backlog? = nil, logger: Logger,
    made: @escaping @Sendable (_ key: String, _ events: Int) -> Void = { _, _ in }
  ) {
    self.store = store
    self.stream = stream
    self.request = request
    self.backlog = backlog
    self.logger = logger
    self.made = made
  }

  /// Makes objects until the events or the virtual clock run out, the deadline is reached, or a
  /// graceful shutdown. The object at hand is finished.
  public func run(until deadline: ContinuousClock.Instant? = nil) async throws -> Report {
    defer { backlog?.close() }
    var report = Report()
    let began = ContinuousClock.now
    let beganMicros = Self.nowMicros
    var answers: AnswerKeyFile?
    if let path = request.answerKey, let store {
      answers = try await AnswerKeyFile(path: path, store: store)
    }
    var session = try await SimulatorSession(
      request, store: store, answers: answers, nowMicros: beganMicros)
    let planner = ObjectPlanner(request)
    session.beginArrivals(planner)
    var body: [UInt8] = []
    var times: [Int64] = []

    func mustStop() -> Bool {
      Task.isShuttingDownGracefully || Task.isCancelled || deadline.map { .now >= $0 } ?? false
    }
    while !mustStop() {
      await backlog?.waitForRoom()
      guard let plan = planner.next(made: session.eventsMade, simulated: session.simulatedMicros)
      else { break }
      if plan.isDrawn {
        session.generator.drawTimes(plan.count, until: plan.endMicros ?? .max, reusing: &times)
      }
      let end = Self.end(of: plan, times: times, isStepped: request.clock?.stepMicros != nil)
      if let due = due(plan, end: end, began: began, beganMicros: beganMicros) {
        // Pauses up to the moment at which the object is due.
        let due = min(due, deadline ?? due)
        if due > .now {
          try? await cancelWhenGracefulShutdown {
            try await Task.sleep(until: due, clock: .continuous)
          }
          if mustStop() { break }
        }
      }
      let arrival = end ?? max(Self.nowMicros, session.simulatedMicros)
      defer { session.simulatedMicros = arrival }
      if plan.isDrawn ? times.isEmpty : plan.count == 0 { continue }
      if let store { try await session.writeDimensions(upTo: arrival, in: store) }
      let object =
        plan.isDrawn
        ? try session.generator.makeObject(at: times, arrivalMicros: arrival, reusing: &body)
        : try session.generator.makeObject(
          eventCount: plan.count, from: session.simulatedMicros, to: arrival,
          arrivalMicros: arrival, reusing: &body)
      // The key is written first: a fault that it does not know could not be told from a defect.
      try answers?.append(object)
      try await put(object)
      body = object.body
      report.objects += 1
      report.events += object.eventCount
      report.bytes += object.body.count
      try session.note(object, simulatedMicros: arrival)
      backlog?.add(object.body.count)
      made(object.key.text, object.eventCount)
    }
    try session.close()
    try answers?.close()
    report.elapsedSeconds = (ContinuousClock.now - began) / .seconds(1)
    return report
  }

  // MARK: -

  /// Up to when an object covers the simulated time; nil where that is whenever it is made.
  private static func end(of plan: ObjectPlanner.Plan, times: [Int64], isStepped: Bool) -> Int64? {
    guard plan.isDrawn, !isStepped, times.count == plan.count, let last = times.last else {
      return plan.endMicros
    }
    return last
  }

  /// When an object may be put; nil for at once.
  private func due(
    _ plan: ObjectPlanner.Plan, end: Int64?, began: ContinuousClock.Instant, beganMicros: Int64
  ) -> ContinuousClock.Instant? {
    guard let clock = request.clock else {
      if plan.isDrawn, let end { return began + .microseconds(end - beganMicros) }
      return plan.dueSeconds.map { began + .seconds($0) }
    }
    guard let end else { return nil }
    if let speed = clock.speed {
      return began + .seconds(Double(end - clock.fromMicros) / 1e6 / speed)
    }
    // A clock without an end comes to the present and goes on with it.
    return clock.untilMicros == nil ? began + .microseconds(end - beganMicros) : nil
  }

  private func put(_ object: RawObject) async throws {
    if let stream {
      return try await Outage.waitOut(stage: "simulator", logger: logger) {
        try await stream(Self.lines(object.body))
      }
    }
    guard let store else { return }
    let key = ObjectKey(trusted: object.key.text)
    try await Outage.waitOut(stage: "simulator", logger: logger) {
      CrashPoint.beforeRawPut.reach()
      let outcome = try await store.put(object.body, at: key)
      CrashPoint.afterRawPut.reach()
      // The same seed and clock make the same objects again, which is no second delivery.
      if outcome == .exists, try await store.read(key) != object.body {
        throw SimulatorError(
          .objectExists, "\(key) is there already with other content; use another seed or lake")
      }
    }
  }

  /// Each with its line feed: whoever puts records together adds none.
  private static func lines(_ body: [UInt8]) -> [[UInt8]] {
    let feed = UInt8(ascii: "\n")
    return body.split(separator: feed).map { Array($0) + [feed] }
  }

  private static var nowMicros: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }
}
