import Foundation
import Synchronization

/// What a run has done so far, for its progress line and its summary.
public final class RunMeter: Sendable {
  public struct Reading: Sendable {
    public var objects = 0
    public var events = 0
    public var bronzeRows = 0
    public var quarantined = 0
    public var blank = 0
    public var stagingRows = 0
    public var silverRows = 0
    public var goldRevenue = "0.00"
    public var refreshes = 0
    public var failedRefreshes = 0
    /// Age of the newest event in gold right after each refresh, in seconds.
    public var freshness: [Double] = []
    public var newestGoldMicros: Int?
  }

  private let state = Mutex(Reading())

  public init() {}

  public var reading: Reading { state.withLock { $0 } }

  func update(_ body: (inout Reading) -> Void) { state.withLock { body(&$0) } }
}
