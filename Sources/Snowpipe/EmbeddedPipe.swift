import CrashPoint
public import Flow
public import Foundation
public import Lake
public import Ledger
public import ObjectStore
public import SnowpipeREST

/// The embedded pipe as its clients see it, by what the ledger knows: it never waits for the
/// warehouse.
public struct EmbeddedPipe: PipeService {
  public static let name = PipeName(PipeStage.name) ?? { preconditionFailure() }()

  private let lake: Lake
  private let ledger: Ledger
  private let queued: Signal?
  private let now: @Sendable () -> Date
  /// Whose requests these are.
  private let user: String

  /// - Parameters:
  ///   - queued: raised when files were queued.
  ///   - user: whose requests these are; nobody's where a person uses the lake itself.
  public init(
    lake: Lake, ledger: Ledger, queued: Signal? = nil, user: String = "",
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.lake = lake
    self.ledger = ledger
    self.queued = queued
    self.user = user
    self.now = now
  }

  public func insertFiles(
    _ files: [StagedFile], requestID: String, showSkipped: Bool
  ) async throws -> InsertFilesResponse {
    guard !files.isEmpty else { throw PipeRefusal(400, "the request names no files") }
    guard files.count <= InsertFilesRequest.mostFiles else {
      throw PipeRefusal(
        400,
        "the request names \(files.count) files, at most \(InsertFilesRequest.mostFiles) are taken")
    }
    let keys = try files.map { file in
      if let size = file.size, size < 0 { throw PipeRefusal(400, "the size of a file is negative") }
      return (key: try Self.key(of: file.path), size: file.size)
    }
    CrashPoint.beforeQueue.reach()
    let skipped = try ledger.enqueue(
      keys, request: Ledger.Request(user: user, id: requestID), at: millis(now()))
    CrashPoint.afterQueue.reach()
    queued?.raise()
    return InsertFilesResponse(
      requestID: requestID, skippedFiles: showSkipped ? skipped.map(Self.path) : nil)
  }

  public func insertReport(beginMark: String?, recentSeconds: Int?) async throws -> InsertReport {
    let seconds = min(
      max(recentSeconds ?? InsertReport.longestSeconds, 0), InsertReport.longestSeconds)
    let since = millis(now()) - Int64(seconds) * 1000
    let mark = beginMark.flatMap(Self.number)
    let last = try ledger.lastPipeEventNumber()
    let events = try ledger.pipeEvents(
      after: mark ?? 0, since: since, newest: InsertReport.mostFiles)
    // Without a mark only what is too much is missed.
    let wanted =
      try mark.map { try ledger.pipeEventCount(after: $0) }
      ?? ledger.pipeEvents(after: 0, since: since, newest: InsertReport.mostFiles + 1).count
    return InsertReport(
      pipe: Self.name.canonical, completeResult: events.count >= wanted,
      nextBeginMark: "1_\(max(events.last?.number ?? 0, last))", files: events.map(report),
      activeFilesCount: try ledger.pipeBacklog().queued)
  }

  public func loadHistoryScan(from start: Date, until end: Date?) async throws -> LoadHistory {
    let from = millis(start)
    // A client whose clock is a little ahead asks for what has not been.
    let until = end.map(millis) ?? max(from, millis(now()))
    guard from <= until else {
      throw PipeRefusal(400, "startTimeInclusive is after endTimeExclusive")
    }
    let (events, next) = try page(from: from, until: until)
    return LoadHistory(
      pipe: Self.name.canonical, completeResult: next == nil, startTimeInclusive: Self.text(from),
      endTimeExclusive: Self.text(until), rangeStartTime: Self.text(events.first?.at ?? from),
      rangeEndTime: Self.text(next ?? events.last?.at ?? until), files: events.map(report))
  }

  public func status() async throws -> PipeStatus {
    var status = PipeStatus(
      executionState: try ledger.isPipePaused() ? PipeStatus.paused : PipeStatus.running)
    let backlog = try ledger.pipeBacklog()
    status.pendingFileCount = backlog.pending
    status.oldestFileTimestamp = backlog.oldestReceived.map(Self.text)
    status.oldestPendingFilePath = backlog.oldest.map(Self.path)
    if let last = try ledger.lastLoadedEvent() {
      status.lastIngestedTimestamp = Self.text(last.at)
      status.lastIngestedFilePath = Self.path(of: last.key)
    }
    if let failure = try ledger.parked(stages: ["pipe"]).first {
      status.error = "\(failure.key): \(failure.reason)"
    }
    return status
  }

  public func refresh(prefix: String?, modifiedAfter: Date?) async throws -> [String] {
    let files = try ledger.enqueuePublished(
      prefix: LakeLayout.bronze + (prefix ?? ""), after: modifiedAfter.map(millis),
      at: millis(now()))
    queued?.raise()
    return files.map(Self.path)
  }

  public func setPaused(_ isPaused: Bool) async throws {
    try ledger.setPipePaused(isPaused)
    queued?.raise()
  }

  // MARK: -

  /// Where the pipe's stage is.
  public static func stageLocation(_ lake: Lake) -> String {
    "\(lake.store.location)/\(LakeLayout.bronze)"
  }

  /// The path of a bronze file relative to the stage.
  public static func path(of key: ObjectKey) -> String {
    String(key.text.dropFirst(LakeLayout.bronze.count))
  }

  /// The key in the lake of a path relative to the stage.
  private static func key(of path: String) throws(PipeRefusal) -> ObjectKey {
    guard !path.isEmpty else { throw PipeRefusal(400, "the path of a file is empty") }
    guard path.utf8.count <= InsertFilesRequest.longestPath else {
      throw PipeRefusal(
        400, "the path of a file is longer than \(InsertFilesRequest.longestPath) bytes")
    }
    guard ObjectKey(path) != nil, !path.contains("://") else {
      throw PipeRefusal(
        400,
        "the path of a file leads out of the stage: paths are relative to it, as dt=…/x.parquet")
    }
    return ObjectKey(trusted: LakeLayout.bronze + path)
  }

  /// The events of a range, and where the next page begins, if there is more. All events of one
  /// millisecond are in one page.
  private func page(
    from start: Int64, until end: Int64
  ) throws -> (events: [Ledger.PipeEvent], next: Int64?) {
    let most = InsertReport.mostFiles
    var events = try ledger.pipeEvents(from: start, until: end, limit: most + 1)
    guard events.count > most, let cut = events.last?.at else { return (events, nil) }
    if events.first?.at == cut {
      events = try ledger.pipeEvents(from: cut, until: cut + 1, limit: .max)
      let isLast = try ledger.pipeEvents(from: cut + 1, until: end, limit: 1).isEmpty
      return (events, isLast ? nil : cut + 1)
    }
    events.removeAll { $0.at == cut }
    return (events, cut)
  }

  private func report(_ event: Ledger.PipeEvent) -> FileReport {
    var report = FileReport(
      path: Self.path(of: event.key), status: event.error == nil ? .loaded : .failed)
    report.stageLocation = Self.stageLocation(lake)
    report.fileSize = event.size
    report.timeReceived = Self.text(event.received)
    report.lastInsertTime = Self.text(event.at)
    report.rowsInserted = event.rows
    report.rowsParsed = event.rows
    report.errorsSeen = event.error == nil ? 0 : 1
    report.errorLimit = 1
    report.systemError = event.error
    return report
  }

  /// The number in a mark such as `1_39`; nil in what is none.
  private static func number(_ mark: String) -> Int? {
    mark.wholeMatch(of: /1_(\d{1,18})/).flatMap { Int($0.1) }
  }

  private func millis(_ date: Date) -> Int64 {
    // Years that nobody means must not overflow.
    Int64((min(max(date.timeIntervalSince1970, -1e11), 1e11) * 1000).rounded())
  }

  /// - Parameter millis: since 1970.
  static func text(_ millis: Int64) -> String {
    // A tenth of a millisecond more, so that the formatter does not cut one off.
    Instants.text(Date(timeIntervalSince1970: (Double(millis) + 0.1) / 1000))
  }
}
