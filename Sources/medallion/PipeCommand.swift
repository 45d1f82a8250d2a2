import ArgumentParser
import Foundation
import Snowpipe
import SnowpipeREST
import Synchronization

/// The commands about a pipe.
struct PipeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe",
    abstract: "Asks a pipe: the lake's own, or one behind Snowpipe's REST calls.",
    discussion: """
      With --account it talks to Snowflake, or with --endpoint to 'medallion serve'; a user proves \
      to have a private key. Without --account it works on the lake's own pipe, by its ledger.

      Examples:
        medallion pipe status
        medallion pipe keys --account myorg-myaccount --user loader
        medallion pipe notify --from-lake --account myorg-myaccount --user loader --private-key rsa_key.p8
      """,
    subcommands: [
      NotifyCommand.self, ReportCommand.self, HistoryCommand.self, PipeStatusCommand.self,
      RefreshCommand.self, PauseCommand.self, ResumeCommand.self, KeysCommand.self,
    ])
}

/// Whether a command waits for what it asked for.
struct FollowingOptions: ParsableArguments {
  @Option(help: "Give up after so long (90s, 5m, 2h). (default: 10m)")
  var timeout: Span?

  /// Follows files until each is done; prints what became of them; fails unless all are loaded.
  func follow(
    _ paths: [String], _ service: any PipeService, since start: Date, json: Bool
  ) async throws {
    let wanted = Set(paths)
    let known = Mutex<[String: FileReport]>([:])
    let limit = timeout?.duration ?? .seconds(600)
    let progress = Progress {
      "report: \(known.withLock { $0.values.count { $0.complete } }) of \(wanted.count) files done"
    }
    let reports = try await progress.during {
      try await ReportFollower(service).follow(wanted, since: start, limit: limit) { reports in
        known.withLock { $0 = reports }
      }
    }
    let outcome = FollowedFiles(paths: paths, reports: reports)
    if json { try printJSON(outcome) } else { print(outcome.text) }
    if !outcome.isLoaded { throw ExitCode(1) }
  }
}

/// What became of the files that were followed.
struct FollowedFiles: Encodable {
  let files: [FileReport]
  /// Those of which nothing is known yet.
  let waiting: [String]

  init(paths: [String], reports: [String: FileReport]) {
    files = reports.values.sorted { $0.path < $1.path }
    waiting = Set(paths).filter { reports[$0]?.complete != true }.sorted()
  }

  var isLoaded: Bool { waiting.isEmpty && files.allSatisfy { $0.status == .loaded } }

  var text: String {
    var lines = files.isEmpty ? [] : [Self.table(files)]
    let loaded = files.count { $0.status == .loaded }
    lines.append(
      "\(loaded) loaded, \(files.count { $0.complete && $0.status != .loaded }) not loaded, "
        + "\(waiting.count) waiting")
    lines += waiting.prefix(10).map { "waits: \($0)" }
    return lines.joined(separator: "\n")
  }

  static func table(_ files: [FileReport]) -> String {
    var table = TextTable("file", "rows", "status", "at", "")
    for file in files {
      table.add(
        file.path, file.rowsInserted.map(String.init) ?? "0", file.status.rawValue,
        file.lastInsertTime ?? "", file.firstError ?? file.systemError ?? "")
    }
    return table.text
  }
}

struct NotifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify",
    abstract: "Has the pipe load files: insertFiles.",
    discussion: """
      Files go in calls of 5 000. Once a call is answered, they are recorded, not loaded: --wait \
      follows them until they are.

      Examples:
        medallion pipe notify dt=2026-11-23/x.parquet
        medallion pipe notify --from-lake --wait --account myorg-myaccount --user loader \
      --private-key rsa_key.p8
        medallion pipe notify --from-lake --account local --user loader --private-key rsa_key.p8 \
      --endpoint http://127.0.0.1:8080
      """)

  @OptionGroup var pipeOptions: PipeOptions
  @OptionGroup var fileOptions: FileOptions
  @OptionGroup var following: FollowingOptions

  @Flag(help: "Follow the files until each is loaded or failed; exit 1 if one is not loaded.")
  var wait = false

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  private struct Summary: Encodable {
    var files = 0
    var requests = 0
    /// Files that the pipe received before.
    var skipped: [String] = []
  }

  func run() async throws {
    let files = try await fileOptions.staged(pipeOptions.lakeOptions)
    guard !files.isEmpty else {
      throw UsageError(
        fileOptions.fromLake
          ? "the lake has no bronze files yet: 'medallion bronze --once' makes them"
          : "name files, or --from-lake")
    }
    let (wait, json, following) = (wait, json, following)
    try await pipeOptions.withService { service in
      let start = Date()
      let summary = Mutex(Summary())
      let progress = Progress { "notify: \(summary.withLock { $0.files }) of \(files.count) files" }
      try await progress.during {
        var first = 0
        while first < files.count {
          let part = Array(files[first..<min(first + InsertFilesRequest.mostFiles, files.count)])
          let answer = try await service.insertFiles(
            part, requestID: UUID().uuidString.lowercased(), showSkipped: true)
          first += part.count
          summary.withLock {
            $0.files += part.count
            $0.requests += 1
            $0.skipped += answer.skippedFiles ?? []
          }
        }
      }
      let done = summary.withLock { $0 }
      guard wait else {
        if json { return try printJSON(done) }
        print("\(done.files) files named, \(done.skipped.count) of them received before")
        return
      }
      // What was received before may have been loaded long ago, and is in no report.
      let skipped = Set(done.skipped)
      let followed = files.map(\.path).filter { !skipped.contains($0) }
      if !json, !skipped.isEmpty { print("\(skipped.count) files were received before") }
      // Clocks may be a little apart.
      try await following.follow(
        followed, service, since: start.addingTimeInterval(-60), json: json)
    }
  }
}

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Tells what was loaded in the last ten minutes, or follows files: insertReport.",
    discussion: """
      With files it goes on until each is loaded or failed, reads the history where the report \
      has gaps, and exits with 1 if one is not loaded.

      Examples:
        medallion pipe report
        medallion pipe report dt=2026-11-23/x.parquet --timeout 2m
        medallion pipe report --from-lake --json
      """)

  @OptionGroup var pipeOptions: PipeOptions
  @OptionGroup var fileOptions: FileOptions
  @OptionGroup var following: FollowingOptions

  @Option(help: "How far back files are looked for: an RFC 3339 instant or a UTC date.")
  var since: Instant?

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  func run() async throws {
    let files = try await fileOptions.staged(pipeOptions.lakeOptions)
    let (json, following) = (json, following)
    let start = since?.date ?? Date().addingTimeInterval(-86_400)
    try await pipeOptions.withService { service in
      if !files.isEmpty {
        return try await following.follow(
          files.map(\.path), service, since: start, json: json)
      }
      let report = try await service.insertReport(beginMark: nil, recentSeconds: nil)
      if json { return try printJSON(report) }
      if !report.files.isEmpty { print(FollowedFiles.table(report.files)) }
      print(
        "\(report.files.count) files in the last ten minutes"
          + (report.completeResult ? "" : ", and more: 'medallion pipe history' has them"))
    }
  }
}

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Tells what was loaded between two instants: loadHistoryScan.",
    discussion: """
      Examples:
        medallion pipe history
        medallion pipe history --since 2026-11-23 --until 2026-11-24T12:00:00Z --json
      """)

  @OptionGroup var pipeOptions: PipeOptions

  @Option(help: "From here on: an RFC 3339 instant or a UTC date. (default: a day ago)")
  var since: Instant?

  @Option(help: "Before this. (default: now)")
  var until: Instant?

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  private struct Files: Encodable {
    let files: [FileReport]
  }

  func run() async throws {
    let start = since?.date ?? Date().addingTimeInterval(-86_400)
    let end = until?.date
    if let end, end < start { throw UsageError("--until is before --since") }
    let json = json
    try await pipeOptions.withService { service in
      var files: [FileReport] = []
      for try await page in ReportFollower(service).history(from: start, until: end) {
        files += page.files
      }
      if json { return try printJSON(Files(files: files)) }
      if !files.isEmpty { print(FollowedFiles.table(files)) }
      print("\(files.count) files since \(Instants.text(start))")
    }
  }
}

struct PipeStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tells what the pipe does and what waits: SYSTEM$PIPE_STATUS.",
    discussion: """
      Examples:
        medallion pipe status
        medallion pipe status --json
        medallion pipe status --account myorg-myaccount --user loader --private-key rsa_key.p8
      """)

  @OptionGroup var pipeOptions: PipeOptions

  @Flag(help: "Print JSON, in the members of SYSTEM$PIPE_STATUS.")
  var json = false

  func run() async throws {
    let json = json
    try await pipeOptions.withService { service in
      let status = try await service.status()
      if json { return try printJSON(status) }
      var line = "\(status.executionState), \(status.pendingFileCount ?? 0) files waiting"
      if let oldest = status.oldestFileTimestamp.flatMap(Instants.date) {
        line += String(format: ", the oldest for %.0f s", max(0, Date().timeIntervalSince(oldest)))
      }
      print(line)
      if let path = status.oldestPendingFilePath { print("waits longest: \(path)") }
      if let path = status.lastIngestedFilePath {
        print("loaded last: \(path) at \(status.lastIngestedTimestamp ?? "?")")
      }
      if let error = status.error { print("error: \(error)") }
      if let fault = status.fault { print("fault: \(fault)") }
    }
  }
}

struct RefreshCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refresh",
    abstract: "Queues files that are in the stage and were not loaded: ALTER PIPE … REFRESH.",
    discussion: """
      A file that was parked is tried again.

      Examples:
        medallion pipe refresh
        medallion pipe refresh --prefix dt=2026-11-23/ --modified-after 2026-11-23T12:00:00Z
      """)

  @OptionGroup var pipeOptions: PipeOptions

  @Option(help: "Only paths that begin so, relative to the stage.")
  var prefix: String?

  @Option(help: "Only files that are younger: an RFC 3339 instant or a UTC date.")
  var modifiedAfter: Instant?

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  private struct Files: Encodable {
    let files: [String]
  }

  func run() async throws {
    let (prefix, after, json) = (prefix, modifiedAfter?.date, json)
    try await pipeOptions.withService { service in
      let files = try await service.refresh(prefix: prefix, modifiedAfter: after)
      if json { return try printJSON(Files(files: files)) }
      for file in files { print(file) }
      print(
        "\(files.count) files queued"
          + (service is EmbeddedPipe && !files.isEmpty
            ? ": 'medallion serve' or 'medallion ingest' loads them" : ""))
    }
  }
}

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Has the pipe load nothing until it is resumed; what comes is queued.",
    discussion: """
      Example:
        medallion pipe pause
      """)

  @OptionGroup var pipeOptions: PipeOptions

  func run() async throws {
    try await pipeOptions.withService { try await $0.setPaused(true) }
    print("paused: 'medallion pipe resume' lets it load again")
  }
}

struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Lets a paused pipe load again.",
    discussion: """
      Example:
        medallion pipe resume
      """)

  @OptionGroup var pipeOptions: PipeOptions

  func run() async throws {
    try await pipeOptions.withService { try await $0.setPaused(false) }
    print("running")
  }
}

extension Instant {
  var date: Date { Date(timeIntervalSince1970: Double(micros) / 1e6) }
}
