import Flow
import Foundation
import Lake
import Ledger
import Warehouse

/// Whether the pipeline does what it should, check by check.
public struct Health: Codable, Sendable, Equatable {
  public struct Check: Codable, Sendable, Equatable {
    public let name: String
    public let ok: Bool
    /// What is wrong and how to mend it, or that nothing is.
    public let detail: String
    /// Part of `/healthz`: whether the stages move. The others are part of `/readyz` alone: whether
    /// what is served is complete and fresh.
    public let isVital: Bool

    enum CodingKeys: String, CodingKey {
      case name, ok, detail
      case isVital = "vital"
    }
  }

  public var checks: [Check] = []

  /// The stages move.
  public var isAlive: Bool { checks.allSatisfy { $0.ok || !$0.isVital } }
  /// They do, and what they made can be relied on.
  public var isReady: Bool { checks.allSatisfy(\.ok) }

  private mutating func add(_ name: String, isVital: Bool = true, _ problem: String?) {
    checks.append(
      Check(name: name, ok: problem == nil, detail: problem ?? "ok", isVital: isVital))
  }

  /// What can be said where not even the ledger can be read.
  init(unreadable failure: any Error) { add("ledger", String(describing: failure)) }

  /// - Parameters:
  ///   - patience: how long something may wait before a stage counts as stuck.
  ///   - warehouseHeld: for how long the warehouse has been in the same hands, as far as is known.
  ///   - isGoldPublished: whether readers of gold find a snapshot.
  init(
    _ status: Status, _ ledger: Ledger, patience: Duration, warehouseHeld: Duration,
    isGoldPublished: Bool, now: Date
  ) throws {
    let limit = patience / .seconds(1)
    func outage(_ stage: String) throws -> String? {
      guard let outage = try ledger.outage(of: stage), let since = Timestamp.date(outage.since),
        now.timeIntervalSince(since) > limit
      else { return nil }
      return "waits since \(outage.since): \(outage.reason)"
    }
    // Whoever works through a backlog is not stuck, however old it is.
    func waits(_ what: String, _ lag: Double?, _ last: Date?, _ stage: String) -> String? {
      guard let lag else { return nil }
      let seconds = min(lag, last.map { now.timeIntervalSince($0) } ?? lag)
      guard seconds > limit else { return nil }
      return
        "\(what), for \(Int(seconds)) s: start 'medallion \(stage) --follow', or 'medallion run', "
        + "if none runs, and look at its log if one does"
    }
    add("ledger", nil)
    add(
      "bronze",
      try outage("bronze")
        ?? waits(
          "\(status.raw.waiting) raw objects wait", status.raw.lagSeconds,
          Timestamp.date(try ledger.timing(.bronzeBatch).at), "bronze"))
    add(
      "pipe",
      status.pipe.isPaused
        ? nil
        : try outage("pipe")
          ?? waits(
            "\(status.pipe.pending) bronze files wait", status.pipe.lagSeconds,
            Timestamp.date(try ledger.timing(.pipeLag).at), "ingest"))
    add("transform", try outage("transform") ?? Self.untransformed(status, ledger, limit, now))
    add("dbt", isVital: false, status.dbt.flatMap { $0.ok ? nil : $0.failure ?? "dbt failed" })
    add(
      "warehouse", isVital: false,
      warehouseHeld > patience
        ? "has been held for \(Int(warehouseHeld / .seconds(1))) s by one process: 'medallion ingest' "
          + "and dbt wait for it" : nil)
    add(
      "gold", isVital: false,
      isGoldPublished ? nil : "is not published yet: the first refresh of dbt does that")
    add(
      "balance", isVital: false,
      status.balance.balanced
        ? nil
        : status.balance.checks.first { !$0.ok }.map { "\($0.name): \($0.left) and \($0.right)" }
          ?? "\(status.troubles.count) objects or files wait for a person")
  }

  /// What was loaded, and dbt has not taken in for too long.
  private static func untransformed(
    _ status: Status, _ ledger: Ledger, _ limit: Double, _ now: Date
  ) throws -> String? {
    guard status.staging.waiting > 0 else { return nil }
    let last = try TransformReport.last(in: ledger).flatMap { Timestamp.date($0.at) }
    let since = Int64((last?.timeIntervalSince1970 ?? 0) * 1000)
    guard
      let first = try ledger.pipeEvents(from: since, until: .max, limit: 1).first,
      now.timeIntervalSince1970 - Double(first.at) / 1000 > limit
    else { return nil }
    return
      "\(status.staging.waiting) rows in staging wait, since \(Timestamp.text(Date(timeIntervalSince1970: Double(first.at) / 1000))): "
      + "'medallion transform' takes them in, and 'medallion run' does so all the time"
  }
}
