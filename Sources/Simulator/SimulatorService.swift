import CrashPoint
public import Flow
import Foundation
public import Logging
public import ObjectStore
import ServiceLifecycle

/// Simulates purchases and puts them into a store as raw objects, until it is told to stop or has
/// made what it was asked for.
public struct SimulatorService: Sendable {
  /// How events and objects follow each other.
  public enum Pace: Sendable, Equatable {
    /// Objects of so many events with a pause between them, as the original script made them.
    case batches(size: Int, pause: Duration)
    /// So many events a second; an object holds `size` events, or half a second's if nil.
    case rate(Double, size: Int?)
    /// As fast as the store takes them.
    case maximum(size: Int)
  }

  /// From when to when the simulated time goes, apart from the wall clock, in microseconds since
  /// 1970-01-01 UTC.
  public struct VirtualClock: Sendable, Equatable {
    public let fromMicros: Int64
    public let untilMicros: Int64

    public init(fromMicros: Int64, untilMicros: Int64) {
      self.fromMicros = fromMicros
      self.untilMicros = untilMicros
    }
  }

  /// What was made.
  public struct Report: Sendable, Codable, Equatable {
    public var objects = 0
    public var events = 0
    public var bytes = 0
    public var elapsedSeconds = 0.0

    enum CodingKeys: String, CodingKey {
      case objects, events, bytes
      case elapsedSeconds = "elapsed_seconds"
    }

    public init() {}
  }

  private let store: any ObjectStore
  private let generator: EventGenerator
  private let pace: Pace
  private let clock: VirtualClock?
  private let events: Int?
  private let answerKey: String?
  private let backlog: Backlog?
  private let logger: Logger
  private let made: @Sendable (_ key: String, _ events: Int) -> Void

  /// - Parameters:
  ///   - clock: nil for the wall clock.
  ///   - events: stops after so many; nil for no limit.
  ///   - answerKey: a file to which the injected faults are appended.
  ///   - backlog: what the next stage has not taken yet, in bytes.
  ///   - made: called after each object.
  public init(
    store: any ObjectStore, generator: EventGenerator, pace: Pace, clock: VirtualClock? = nil,
    events: Int? = nil, answerKey: String? = nil, backlog: Backlog? = nil, logger: Logger,
    made: @escaping @Sendable (_ key: String, _ events: Int) -> Void = { _, _ in }
  ) {
    self.store = store
    self.generator = generator
    self.pace = pace
    self.clock = clock
    self.events = events
    self.answerKey = answerKey
    self.backlog = backlog
    self.logger = logger
    self.made = made
  }

  /// Makes objects until the events or the virtual clock run out, the deadline is reached, or a
  /// graceful shutdown. The object at hand is finished.
  public func run(until deadline: ContinuousClock.Instant? = nil) async throws -> Report {
    var generator = generator
    var report = Report()
    let answers = try answerKey.map { try AnswerKeyFile(path: $0) }
    let began = ContinuousClock.now
    var simulated = clock?.fromMicros ?? Self.nowMicros
    var body: [UInt8] = []
    defer { backlog?.close() }

    func mustStop() -> Bool {
      Task.isShuttingDownGracefully || Task.isCancelled || deadline.map { .now >= $0 } ?? false
    }
    while !mustStop() {
      await backlog?.waitForRoom()
      guard let step = step(made: report.events, simulated: simulated) else { break }
      if clock == nil, report.objects > 0 || step.waitsBeforeFirst {
        // Pauses before every object but the first, up to the moment at which it is due.
        let due = min(began + step.due, deadline ?? began + step.due)
        if due > .now {
          try? await cancelWhenGracefulShutdown {
            try await Task.sleep(until: due, clock: .continuous)
          }
          if mustStop() { break }
        }
      }
      let end = clock == nil ? max(Self.nowMicros, simulated) : step.endMicros
      let object = try generator.makeObject(
        eventCount: step.count, from: simulated, to: end, arrivalMicros: end, reusing: &body)
      // The key is written first: a fault that it does not know could not be told from a defect.
      try answers?.append(object.answers)
      try await put(object)
      body = object.body
      simulated = end
      report.objects += 1
      report.events += object.eventCount
      report.bytes += object.body.count
      backlog?.add(object.body.count)
      made(object.key.text, object.eventCount)
    }
    report.elapsedSeconds = (ContinuousClock.now - began) / .seconds(1)
    return report
  }

  // MARK: -

  private struct Step {
    let count: Int
    /// When the object is due, counted from the start.
    let due: Duration
    let waitsBeforeFirst: Bool
    /// The virtual time of its last event.
    let endMicros: Int64
  }

  /// The next object to make; nil if everything is made.
  private func step(made: Int, simulated: Int64) -> Step? {
    let left = events.map { $0 - made } ?? .max
    guard left > 0 else { return nil }
    let size: Int
    let secondsPerEvent: Double
    switch pace {
    case .batches(let batch, let pause):
      size = batch
      secondsPerEvent = (pause / .seconds(1)) / Double(batch)
    case .rate(let rate, let batch):
      size = batch ?? max(1, min(50_000, Int(rate / 2)))
      secondsPerEvent = 1 / rate
    case .maximum(let batch):
      size = batch
      secondsPerEvent = 0
    }
    let count = min(size, left)
    let due: Duration
    var waits = false
    switch pace {
    case .batches: due = .seconds(Double(made) * secondsPerEvent)
    case .rate:
      // The events of an object have happened when it is put.
      due = .seconds(Double(made + count) * secondsPerEvent)
      waits = true
    case .maximum: due = .zero
    }
    guard let clock else {
      return Step(count: count, due: due, waitsBeforeFirst: waits, endMicros: 0)
    }
    guard simulated < clock.untilMicros else { return nil }
    let span = Double(clock.untilMicros - clock.fromMicros)
    // With a number of events and no pace of their own they fill the time evenly.
    let microsPerEvent = secondsPerEvent > 0 ? secondsPerEvent * 1e6 : span / Double(events ?? 1)
    let end = clock.fromMicros + Int64((Double(made + count) * microsPerEvent).rounded())
    return Step(
      count: count, due: .zero, waitsBeforeFirst: false, endMicros: min(end, clock.untilMicros))
  }

  private func put(_ object: RawObject) async throws {
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

  private static var nowMicros: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }
}

/// The answer key on disk: what was injected, appended object by object.
private struct AnswerKeyFile {
  private let handle: FileHandle

  init(path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw SimulatorError(
        .answerKey, "cannot write the answer key \(path): does its directory exist?")
    }
    self.handle = handle
    try handle.seekToEnd()
  }

  func append(_ records: [AnswerKeyRecord]) throws {
    guard !records.isEmpty else { return }
    var bytes: [UInt8] = []
    for record in records { record.append(to: &bytes) }
    try handle.write(contentsOf: Data(bytes))
  }
}
