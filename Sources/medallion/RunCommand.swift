import ArgumentParser
import Dashboard
import Foundation
import Lake
import Logging
import ObjectStore
import Pipeline
import Simulator
import Synchronization
import Warehouse

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the whole pipeline in one process, from event to gold, until Ctrl-C.",
    discussion: """
      Simulates 200 purchases a second in a retail world with small rates of faults, so that the \
      quarantine has something to show, unless told otherwise ('medallion simulate --help' lists \
      the faults). With \
      --for or --events it ends once everything is in gold. Started again, it goes on in the same \
      lake. Meanwhile the dashboard is on http://127.0.0.1:8080, or on the next port that is free.

      Examples:
        medallion run
        medallion run --open
        medallion run --for 60s --rate 1000 --no-dashboard
        medallion run --lake /data/lake --events 100000 --faults none
        medallion run --lake s3://bucket/lake --state ./state
      """)

  @OptionGroup var lakeOptions: LakeOptions
  @OptionGroup var bronzeOptions: BronzeOptions
  @OptionGroup var simulator: SimulatorOptions
  @OptionGroup var queueOptions: QueueOptions
  @OptionGroup var errors: ErrorNotificationOptions
  @OptionGroup var dashboardOptions: DashboardOptions

  @Flag(help: "Serve no dashboard.")
  var noDashboard = false

  @Flag(help: "Open the dashboard in a browser, where there is one.")
  var open = false

  @Option(name: .customLong("for"), help: "Run for so long (90s, 5m, 2h), then drain to gold.")
  var span: Span?

  func run() async throws {
    let settings = try Settings()
    let span = try span ?? settings.value("for", Span.init)
    var request = try simulator.request(
      settings, world: .retail, unpaced: .rate(200, size: nil), faults: .default)
    let answerKey = request.answerKey
    let logger = try lakeOptions.logger(quiet: true)
    let workspace = try await lakeOptions.open(creating: true)
    request.statePath = workspace.simulatorState
    let options = PipelineRun.Options(
      simulator: request, duration: span?.duration, encodings: try bronzeOptions.encodings(),
      notifier: try errors.notifier())
    let run = try PipelineRun(workspace, options: options, logger: logger)
    Terminal.note(
      "medallion: running in \(workspace.lake.store.location), "
        + (request.faults == .default
          ? "with small rates of faults (--faults none for none), " : "")
        + (options.duration == nil && request.events == nil ? "Ctrl-C ends it" : "until it is done")
    )

    let desk = noDashboard ? nil : try desk(workspace, logger)
    let began = ContinuousClock.now
    let meter = run.meter
    let progress = Progress { Self.line(meter.reading, since: began) }
    let queue = queueOptions
    try await withSignals(logger) {
      try await progress.during {
        let prefixes = [LakeLayout.raw, LakeLayout.bronze, LakeLayout.commits]
        try await queue.following(workspace, prefixes, logger: logger) {
          guard let desk else { return try await run.run() }
          try await desk.during { try await run.run() }
        }
      }
    }

    let status = try await Status(workspace)
    print(Self.table(status))
    print(Self.pace(meter.reading, elapsed: ContinuousClock.now - began))
    if let dbt = status.dbt, !dbt.ok { print("dbt failed: \(dbt.failure ?? "see logs/dbt")") }
    guard let report = try await Self.verify(workspace, answerKey: answerKey) else { return }
    print(VerifyCommand.verdict(report))
    if !report.balanced || status.dbt?.ok == false { throw ExitCode(1) }
  }

  /// The dashboard; that it cannot be served is told, and no reason not to run.
  private func desk(_ workspace: Workspace, _ logger: Logger) throws -> ServiceDesk {
    let options = try dashboardOptions.options(workspace, isAside: true)
    let isOpened = open
    return try ServiceDesk(workspace, options: options, logger: logger) { port in
      let url = DashboardOptions.url(options, port: port)
      Terminal.note("medallion: the dashboard is at \(url)")
      if isOpened { Browser.open(url) }
    }
  }

  /// Verifies, but does not wait long for others who use the warehouse: whoever pressed Ctrl-C wants
  /// it to end.
  private static func verify(_ workspace: Workspace, answerKey: String?) async throws
    -> VerifyReport?
  {
    do {
      return try await withThrowingTaskGroup(of: VerifyReport?.self) { group in
        group.addTask { try await Verifier(workspace, answerKey: answerKey).run() }
        group.addTask {
          // A key of millions of events takes a while to compare.
          try await Task.sleep(for: .seconds(answerKey == nil ? 6 : 60))
          return nil
        }
        defer { group.cancelAll() }
        if let report = try await group.next() ?? nil { return report }
        print("not verified: another process uses the warehouse; 'medallion verify' waits for it")
        return nil
      }
    } catch let failure as WarehouseError where failure.code == .locked {
      print("not verified: \(failure)")
      return nil
    }
  }

  private static func line(_ reading: RunMeter.Reading, since began: ContinuousClock.Instant)
    -> String
  {
    let lag = reading.newestGoldMicros.map {
      String(format: "%.1f s", Date().timeIntervalSince1970 - Double($0) / 1e6)
    }
    let seconds = Int((ContinuousClock.now - began) / .seconds(1))
    return "\(seconds) s  raw \(reading.events) events  bronze \(reading.bronzeRows)"
      + "  quarantined \(reading.quarantined)  staging \(reading.stagingRows)"
      + "  silver \(reading.silverRows)  gold $\(reading.goldRevenue)  lag \(lag ?? "–")"
  }

  /// The layers of a lake, as they stand.
  static func table(_ status: Status) -> String {
    var table = TextTable("layer", "rows", "")
    let waiting = status.raw.waiting > 0 ? ", \(status.raw.waiting) waiting" : ""
    table.add("raw", String(status.raw.lines), "lines in \(status.raw.objects) objects\(waiting)")
    table.add("  blank", String(status.blank.lines), "lines")
    table.add("  quarantine", String(status.quarantine.lines), reasons(status))
    table.add("bronze", String(status.bronze.rows), "rows in \(status.bronze.files) files")
    table.add("staging", String(status.staging.rows), "rows, \(status.pipe.pending) files waiting")
    table.add("silver", String(status.silver.rows), "purchases")
    table.add("  duplicates", String(status.silver.duplicates), "rows")
    table.add("  conflicts", String(status.silver.conflicts), "rows")
    table.add(
      "gold", String(status.gold.transactions), "transactions, revenue \(status.gold.revenue)")
    return table.text
  }

  private static func reasons(_ status: Status) -> String {
    guard let most = status.quarantine.reasons.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })
    else { return "lines" }
    return "lines, most of them \(most.key)"
  }

  private static func pace(_ reading: RunMeter.Reading, elapsed: Duration) -> String {
    let seconds = elapsed / .seconds(1)
    var text = String(
      format: "%d events in %.0f s (%.0f a second), %d refreshes of gold", reading.events, seconds,
      Double(reading.events) / max(seconds, 0.001), reading.refreshes)
    let ages = reading.freshness.sorted()
    if !ages.isEmpty {
      let p99 = ages[min(ages.count - 1, ages.count * 99 / 100)]
      text += String(
        format: "; newest event in gold was %.1f s old (p50), %.1f s (p99)", ages[ages.count / 2],
        p99)
    }
    return text
  }
}
