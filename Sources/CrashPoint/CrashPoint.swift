#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A boundary between two durable steps, at which a test can have the process killed.
///
/// `MEDALLION_CRASH_AT=after-commit` kills the process with SIGKILL where it first reaches that
/// point, `MEDALLION_CRASH_AT=after-commit:3` where it reaches it for the third time. Without the
/// variable a point costs one comparison.
public enum CrashPoint: String, CaseIterable, Sendable {
  case beforeRawPut = "before-raw-put"
  case afterRawPut = "after-raw-put"
  case beforeWorkFile = "before-work-file"
  case afterWorkFile = "after-work-file"
  case beforeCommit = "before-commit"
  case afterCommit = "after-commit"
  case beforePublish = "before-publish"
  case afterPublish = "after-publish"
  case beforeQueue = "before-queue"
  case afterQueue = "after-queue"
  case beforeLoad = "before-load"
  case afterLoad = "after-load"
  case beforeQuarantineLoad = "before-quarantine-load"
  case afterQuarantineLoad = "after-quarantine-load"
  case beforeDimensionLoad = "before-dimension-load"
  case afterDimensionLoad = "after-dimension-load"
  case beforeDbtRun = "before-dbt-run"
  case afterDbtRun = "after-dbt-run"
  case beforeGoldPublish = "before-gold-publish"
  case beforeGoldSwitch = "before-gold-switch"
  case afterGoldSwitch = "after-gold-switch"

  /// Kills this process if the environment armed this point and its count has come.
  public func reach() {
    guard let armed = Self.armed, armed.point == self else { return }
    // One armed point is reached by one stage, whose steps follow each other.
    if armed.countdown.decrement() == 0 { kill(getpid(), SIGKILL) }
  }

  private struct Armed: Sendable {
    let point: CrashPoint
    let countdown: Countdown
  }

  private static let armed: Armed? = {
    guard let value = getenv("MEDALLION_CRASH_AT") else { return nil }
    let parts = String(cString: value).split(separator: ":")
    guard let name = parts.first, let point = CrashPoint(rawValue: String(name)) else {
      let message =
        "medallion: MEDALLION_CRASH_AT names no crash point: \(String(cString: value))\n"
      _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
      exit(2)
    }
    let count = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
    return Armed(point: point, countdown: Countdown(count))
  }()
}
