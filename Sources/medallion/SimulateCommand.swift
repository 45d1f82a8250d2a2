import AWS
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
      with --events alone it goes as fast as it can. --from and --until set a virtual clock; the \
      same seed and clock make the same objects, byte for byte. Started again, it goes on where it \
      was. --from without --until makes what is missing up to now and goes on live.

      \(SimulatorOptions.faultsHelp)

      Examples:
        medallion simulate --lake ./lake --events 100000
        medallion simulate --bucket ./my-lake --prefix raw --batch-size 25 --sleep 1.5
        medallion simulate --bucket my-bucket --prefix raw --batch-size 25 --sleep 1.5
        medallion simulate --firehose retail-raw --rate 500
        medallion simulate --rate 500 --faults late=0.01,corrupt=0.005 --answer-key key.ndjson
        medallion simulate --seed 7 --from 2026-11-01 --until 2026-11-08 --events 1000000
        medallion simulate --world retail --from 2026-11-01 --rate 20
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var simulator: SimulatorOptions

  @Option(help: "The bucket of the original script: of S3, or a directory such as ./my-lake.")
  var bucket: String?

  @Option(help: "Where in the bucket the objects go.")
  var prefix = "raw"

  @Option(
    help: """
      A Firehose stream that takes the events, a record each, and lands them in raw, in place of \
      putting objects.
      """)
  var firehose: String?

  @Option(help: "Virtual time of the first event: RFC 3339, or a UTC date.")
  var from: Instant?

  @Option(help: "Virtual time at which to stop; without it the clock goes on to now, then live.")
  var until: Instant?

  @Option(help: "How much virtual time an object covers (500ms, 90s, 5m, 2h); needs --rate.")
  var step: Span?

  @Option(help: "How many times as fast as real time the virtual clock goes.")
  var speed: Speed?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func run() async throws {
    let settings = try Settings()
    var request = try simulator.request(
      settings, world: .plain, unpaced: .batches(size: 20, pause: .seconds(2)), faults: .none)
    request.clock = try virtualClock(request)
    request.prefix = prefix
    let logger = try lakeOptions.logger()
    let store: (any ObjectStore)?
    (store, request.statePath) = try await openStore()
    let stream = try openStream(request)
    let target = stream.map { "the stream \($0.name)" } ?? "\(store?.location ?? "")/\(prefix)"
    let pace = request.pace

    let made = Mutex((objects: 0, events: 0))
    let tellsEach = if case .batches = pace { !json } else { false }
    let progress = Progress {
      let (objects, events) = made.withLock { $0 }
      return "simulate: \(events) events in \(objects) objects → \(target)"
    }
    let service = SimulatorService(
      store: store, stream: stream?.put, request: request, logger: logger
    ) { [location = store?.location ?? ""] key, events in
      made.withLock {
        $0.objects += 1
        $0.events += events
      }
      if tellsEach {
        print("Uploaded \(events) events to \(stream == nil ? "\(location)/\(key)" : target)")
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
    print(
      "\(result.events) events in \(result.objects) objects, \(Int(result.eventsPerSecond)) a second"
    )
  }

  /// The store, and where the simulator remembers how far it is.
  private func openStore() async throws -> ((any ObjectStore)?, String) {
    if firehose != nil, lakeOptions.lake == nil {
      if bucket != nil { throw UsageError("--bucket and --firehose exclude each other") }
      // What a retail world knows of its products goes beside raw, and here there is no beside.
      return (nil, "\(try lakeOptions.statePlace() ?? ".")/simulator.json")
    }
    guard let bucket else {
      let workspace = try await lakeOptions.open(creating: true)
      return (workspace.lake.store, workspace.simulatorState)
    }
    if lakeOptions.lake != nil { throw UsageError("--bucket and --lake exclude each other") }
    guard ObjectKey("\(prefix)/x") != nil else {
      throw UsageError("--prefix '\(prefix)' is no relative path such as raw")
    }
    let location = try Self.location(ofBucket: bucket)
    let state = try lakeOptions.statePlace() ?? location.defaultState
    let store = try location.open(state: state)
    // With the prefix raw a directory is a lake at once, which every other command can open. In S3
    // whoever puts raw objects need have no other right, and the first other command makes it one.
    if prefix == "raw", case .directory = location {
      _ = try await Lake.open(in: store, creating: true)
    }
    return (store, "\(state)/simulator.json")
  }

  /// The stream that takes the events; nil where they are put as objects.
  private func openStream(_ request: SimulatorRequest) throws -> FirehoseStream? {
    guard let firehose else { return nil }
    if request.answerKey != nil {
      throw UsageError("--answer-key names objects, and with --firehose others make them")
    }
    return try asStoreSettings { try FirehoseStream(name: firehose, environment: AWSEnvironment()) }
  }

  /// A directory where that is what it looks like, else a bucket's name or URL.
  private static func location(ofBucket bucket: String) throws -> StoreLocation {
    let isDirectory =
      bucket.contains("/") || bucket.hasPrefix(".") || bucket.hasPrefix("~")
      || FileManager.default.fileExists(atPath: bucket)
    return try StoreLocation(isDirectory || bucket.contains("://") ? bucket : "s3://\(bucket)")
  }

  private func virtualClock(_ request: SimulatorRequest) throws -> SimulatorRequest.VirtualClock? {
    guard let from else {
      for (name, isGiven) in [
        ("--until", until != nil), ("--step", step != nil), ("--speed", speed != nil),
      ] where isGiven {
        throw UsageError("\(name) needs --from")
      }
      return nil
    }
    if let until, until.micros <= from.micros {
      throw UsageError("--from needs an --until that is later")
    }
    if until == nil, from.micros > Int64(Date().timeIntervalSince1970 * 1e6) {
      throw UsageError("--from without --until must lie in the past: it goes on to now, then live")
    }
    for time in [from, until].compactMap(\.self) where !time.isWithinContract {
      throw UsageError("--from and --until must lie in the years 2000 to 2099")
    }
    if case .maximum = request.pace {
      if until == nil { throw UsageError("--from without --until needs --rate or --sleep") }
      if request.events == nil {
        throw UsageError("with --from and --until name --events, or --rate, or --sleep")
      }
    }
    var stepMicros: Int64?
    if let step {
      guard case .rate = request.pace else { throw UsageError("--step needs --rate") }
      stepMicros = Int64((step.duration / .microseconds(1)).rounded())
      guard stepMicros ?? 0 > 0 else { throw UsageError("--step must be more than 0") }
    }
    return SimulatorRequest.VirtualClock(
      fromMicros: from.micros, untilMicros: until?.micros, stepMicros: stepMicros,
      speed: speed?.factor)
  }
}
