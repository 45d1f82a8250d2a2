public import Foundation

/// Follows files until the pipe is done with each of them.
///
/// It reads the report from mark to mark. Where the report says that it missed something, and once
/// for what was done before it began, it reads the history.
public struct ReportFollower: Sendable {
  private static let shortestPause = Duration.milliseconds(500)
  private static let longestPause = Duration.seconds(10)

  private let service: any PipeService
  private let now: @Sendable () -> Date
  private let pause: @Sendable (Duration) async throws -> Void

  public init(
    _ service: any PipeService, now: @escaping @Sendable () -> Date = { Date() },
    pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.service = service
    self.now = now
    self.pause = pause
  }

  /// Returns the last report of each file that has one.
  ///
  /// - Parameters:
  ///   - paths: the files.
  ///   - start: how far back the history is read.
  ///   - limit: gives up after so long, with some files not done.
  ///   - progress: called with what is known so far.
  public func follow(
    _ paths: Set<String>, since start: Date, limit: Duration? = nil,
    progress: @Sendable ([String: FileReport]) -> Void = { _ in }
  ) async throws -> [String: FileReport] {
    var known: [String: FileReport] = [:]
    var mark: String?
    // Up to here nothing was missed.
    var seen = start
    var waited = Duration.zero
    var interval = Self.shortestPause
    while true {
      let began = now()
      let report = try await service.insertReport(beginMark: mark, recentSeconds: nil)
      let before = known.count { $0.value.complete }
      Self.absorb(report.files, paths, &known)
      if !Self.isDone(paths, known), mark == nil || !report.completeResult {
        for try await page in history(from: seen, until: nil) {
          Self.absorb(page.files, paths, &known)
        }
      }
      // Clocks may be a little apart.
      seen = began.addingTimeInterval(-60)
      mark = report.nextBeginMark ?? mark
      progress(known)
      if Self.isDone(paths, known) { return known }
      if let limit, waited >= limit { return known }
      let isMoving = known.count { $0.value.complete } > before
      interval = isMoving ? Self.shortestPause : min(interval * 2, Self.longestPause)
      try await pause(interval)
      waited += interval
    }
  }

  /// The history between two instants, page by page.
  public func history(
    from start: Date, until end: Date?
  ) -> AsyncThrowingStream<LoadHistory, any Error> {
    var next: Date? = start
    let service = service
    return AsyncThrowingStream(unfolding: {
      guard let from = next else { return nil }
      let page = try await service.loadHistoryScan(from: from, until: end)
      next = nil
      if !page.completeResult, let end = page.rangeEndTime.flatMap(Instants.date), end > from {
        next = end
      }
      return page
    })
  }

  // MARK: -

  private static func absorb(
    _ files: [FileReport], _ paths: Set<String>, _ known: inout [String: FileReport]
  ) {
    for file in files where paths.contains(file.path) {
      // A late repeat of an earlier event changes nothing.
      if let old = known[file.path], (old.lastInsertTime ?? "") > (file.lastInsertTime ?? "") {
        continue
      }
      known[file.path] = file
    }
  }

  private static func isDone(_ paths: Set<String>, _ known: [String: FileReport]) -> Bool {
    paths.allSatisfy { known[$0]?.complete == true }
  }
}
