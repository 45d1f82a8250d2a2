import Flow
import Foundation
import Lake
public import Logging

extension Ledger {
  /// What a stage waits for that is not its own doing.
  public struct OutageNotice: Codable, Sendable, Equatable {
    public let reason: String
    /// RFC 3339, UTC.
    public let since: String
  }

  /// Runs `body` as `Outage.waitOut` does, and tells whoever watches the lake why it waits.
  public func waitOut<T>(
    limit: Duration? = nil, stage: String, logger: Logger, _ body: () async throws -> T
  ) async throws -> T {
    try await Outage.waitOut(
      limit: limit, stage: stage, logger: logger,
      noticed: { reason in
        // On a full disk not even this may be noted.
        try? note(reason, of: stage)
      }, body)
  }

  /// Why a stage waits; nil if it does not.
  public func outage(of stage: String) throws -> OutageNotice? {
    try gauge("outage.\(stage)", as: OutageNotice?.self) ?? nil
  }

  private func note(_ reason: String?, of stage: String) throws {
    let known = try outage(of: stage)
    if known?.reason == reason { return }
    let notice = reason.map {
      OutageNotice(reason: $0, since: known?.since ?? Timestamp.text(Date()))
    }
    try setGauge("outage.\(stage)", notice)
  }
}
