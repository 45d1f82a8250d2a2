import ArgumentParser
import Foundation
import Lake
import ObjectStore
import Pipeline
import Simulator
import Synchronization

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Makes purchase events and puts them into raw, until Ctrl-C.",
    discussion: """
      Without --rate or --sleep it makes 20 events every 2 seconds, as the original script does; \
      with --events alone it goes as fast as it can. --from and --until set a virtual clock.

      Examples:
        medallion simulate --lake ./lake --events 100000
        medallion simulate --bucket ./my-lake --prefix raw --batch-size 25 --sleep 1.5
        medallion simulate --rate 500 --faults late=0.01,corrupt=0.005 --answer-key key.ndjson
        medallion simulate --seed 7 --from 2026-11-01 --until 2026-11-08 --events 1000000
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var simulator: SimulatorOptions

  @Option(help: "The bucket of the original script: here a directory, such as ./my-lake.")
  var bucket: String?

  @Option(help: "Where in the bucket the objects go.")
  var prefix = "raw"

  @Option(help: "Virtual time of the first event: RFC 3339, or a UTC date.")
  var from: Instant?

  @Option(help: "Virtual time at which to stop.")
  var until: Instant?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func run() async throws {
    let settings = try Settings()
    let pace = try simulator.pace(settings, unpaced: .batches(size: 20, pause: .seconds(2)))
    let faults = try simulator.plan(settings, unless: .none)
    let events = try simulator.eventCount(settings)
    let clock = try virtualClock(pace, events: events)
    let seed = try simulator.seed(settings)
    let answerKey = try simulator.answerKey(settings)
    let logger = try lakeOptions.logger()
    let store = try await openStore()
    let generator = EventGenerator(
      world: try World.plain(from: Home.find().products), seed: seed,
      faults: faults, prefix: prefix)

    let made = Mutex((objects: 0, events: 0))
    let tellsEach = if case .batches = pace { !json } else { false }
    let progress = Progress { [location = store.location] in
      let (objects, events) = made.withLock { $0 }
      return "simulate: \(events) events in \(objects) objects → \(location)/\(prefix)"
    }
    let service = SimulatorService(
      store: store, generator: generator, pace: pace, clock: clock, events: events,
      answerKey: answerKey, logger: logger
    ) { [location = store.location] key, events in
      made.withLock {
        $0.objects += 1
        $0.events += events
      }
      if tellsEach {
        print("Uploaded \(events) events to \(location)/\(key)")
        // A line must not wait in a buffer where another program reads it.
        fflush(nil)
      }
    }
    if tellsEach { Terminal.note("Starting simulator. Ctrl+C to stop.") }
    let report = Mutex(SimulatorService.Report())
    try await withSignals(logger) {
      let made = try await progress.during(isShown: !tellsEach) { try await service.run() }
      report.withLock { $0 = made }
    }
    let result = report.withLock { $0 }
    if json { return try printJSON(result) }
    let rate = result.elapsedSeconds > 0 ? Double(result.events) / result.elapsedSeconds : 0
    print("\(result.events) events in \(result.objects) objects, \(Int(rate)) a second")
  }

  private func openStore() async throws -> any ObjectStore {
    guard let bucket else { return try await lakeOptions.open(creating: true).lake.store }
    if lakeOptions.lake != nil { throw UsageError("--bucket and --lake exclude each other") }
    let isDirectory =
      bucket.contains("/") || bucket.hasPrefix(".")
      || FileManager.default.fileExists(atPath: bucket)
    guard isDirectory, !bucket.contains("://") else {
      throw LakeError(
        .unsupportedPlace,
        "--bucket \(bucket): this version writes to directories only; for one named so here, use --bucket ./\(bucket)"
      )
    }
    guard ObjectKey("\(prefix)/x") != nil else {
      throw UsageError("--prefix '\(prefix)' is no relative path such as raw")
    }
    // With the prefix raw the bucket is a lake, which every other command can open.
    if prefix == "raw" {
      return try await Lake.open(in: try StoreLocation.open(bucket), creating: true).store
    }
    return try StoreLocation.open(bucket)
  }

  private func virtualClock(_ pace: SimulatorService.Pace, events: Int?) throws -> SimulatorService
    .VirtualClock?
  {
    guard let from else {
      if until != nil { throw UsageError("--until needs --from") }
      return nil
    }
    guard let until, until.micros > from.micros else {
      throw UsageError("--from needs an --until that is later")
    }
    if case .maximum = pace, events == nil {
      throw UsageError("with --from and --until name --events, or --rate, or --sleep")
    }
    return SimulatorService.VirtualClock(fromMicros: from.micros, untilMicros: until.micros)
  }
}
