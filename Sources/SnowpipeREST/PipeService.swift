public import Foundation

/// A pipe as its clients see it: the port that Snowflake's service and the embedded pipe implement.
///
/// What is refused is thrown as `PipeRefusal`.
public protocol PipeService: Sendable {
  /// Has the pipe load files that are in its stage. They are recorded when this returns, not loaded.
  ///
  /// - Parameters:
  ///   - requestID: the same one again is the same request.
  ///   - showSkipped: names the files that the pipe received before.
  func insertFiles(
    _ files: [StagedFile], requestID: String, showSkipped: Bool
  ) async throws -> InsertFilesResponse

  /// What was loaded in the last ten minutes.
  ///
  /// - Parameter beginMark: leaves out what an earlier report has told; a hint.
  func insertReport(beginMark: String?, recentSeconds: Int?) async throws -> InsertReport

  /// What was loaded from one instant on, and before another if there is one.
  func loadHistoryScan(from start: Date, until end: Date?) async throws -> LoadHistory

  func status() async throws -> PipeStatus

  /// Has the pipe load what is in its stage and was not loaded. Returns the files that it queued.
  ///
  /// - Parameters:
  ///   - prefix: only paths that begin so.
  ///   - modifiedAfter: only files that are younger.
  func refresh(prefix: String?, modifiedAfter: Date?) async throws -> [String]

  func setPaused(_ isPaused: Bool) async throws
}
