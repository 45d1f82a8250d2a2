import Contract
import Foundation
import Ledger

/// What the monitor read, as metrics in Prometheus's text format (version 0.0.4 of
/// https://prometheus.io/docs/instrumenting/exposition_formats).
///
/// Everything comes from the ledger, so a counter goes on over restarts, and one process can tell
/// of stages that others run. Label values are those of the contract and of this program: none comes
/// from the data.
struct Metrics {
  private(set) var text = ""

  private mutating func header(_ name: String, _ type: String, _ help: String) {
    text += "# HELP medallion_\(name) \(help)\n# TYPE medallion_\(name) \(type)\n"
  }

  private mutating func sample(
    _ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]
  ) {
    let pairs = labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    text += "medallion_\(name)\(pairs.isEmpty ? "" : "{\(pairs)}") \(Self.number(value))\n"
  }

  private mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double?) {
    // What is not known has no value, and no 0 either.
    guard let value else { return }
    header(name, type, help)
    sample(name, value)
  }

  private mutating func counter(_ name: String, _ help: String, _ value: Int) {
    add(name, "counter", help, Double(value))
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Double?) {
    add(name, "gauge", help, value)
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    add(name, "gauge", help, Double(value))
  }

  private mutating func histogram(_ name: String, _ help: String, _ timing: Timing) {
    header(name, "histogram", help)
    var total = 0
    for (bound, count) in zip(Timing.bounds + [.infinity], timing.counts) {
      total += count
      sample("\(name)_bucket", Double(total), ["le": Self.number(bound)])
    }
    sample("\(name)_sum", timing.seconds)
    sample("\(name)_count", Double(total))
  }

  private static func number(_ value: Double) -> String {
    if value == .infinity { return "+Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  /// - Parameters:
  ///   - fields: the contract's fields; other rescued names are summed up.
  ///   - viewers: open pages.
  init(_ reading: Monitor.Reading, fields: [String], viewers: Int) {
    let status = reading.status
    counter("raw_objects_total", "Raw objects that were consumed.", status.raw.objects)
    counter("raw_lines_total", "Lines of raw objects that were consumed.", status.raw.lines)
    counter(
      "raw_bytes_total", "Size of raw objects that were consumed, in bytes.", status.raw.bytes)
    gauge(
      "raw_waiting_objects", "Raw objects that have yet to be consumed.",
      status.raw.waiting)
    gauge(
      "raw_lag_seconds", "For how long the oldest of them has waited.", status.raw.lagSeconds ?? 0)
    gauge(
      "raw_changed_objects", "Raw objects whose content changed after they were consumed.",
      status.raw.changed)
    counter("commits_total", "Commits of the lake.", status.commits)
    counter("bronze_files_total", "Bronze files that were committed.", status.bronze.files)
    counter("bronze_rows_total", "Bronze rows that were committed.", status.bronze.rows)
    header("quarantine_lines", "gauge", "Lines in quarantine, by reason.")
    for reason in QuarantineReason.allCases.map(\.rawValue) {
      sample("quarantine_lines", Double(status.quarantine.reasons[reason] ?? 0), ["reason": reason])
    }
    header("blank_lines_total", "counter", "Lines of blanks, tabs or nothing.")
    sample("blank_lines_total", Double(status.blank.lines))
    header("rescued_members_total", "counter", "Members that did not fit their field, or fit none.")
    for field in fields {
      sample("rescued_members_total", Double(status.bronze.rescued[field] ?? 0), ["field": field])
    }
    let others = status.bronze.rescued.filter { !fields.contains($0.key) }.values.reduce(0, +)
    sample("rescued_members_total", Double(others), ["field": "(other)"])
    gauge("parked", "Objects and files that wait for a person.", status.parked)
    gauge("pipe_pending_files", "Committed bronze files that are not loaded.", status.pipe.pending)
    gauge(
      "pipe_oldest_seconds", "For how long the oldest of them has waited.",
      status.pipe.lagSeconds ?? 0)
    gauge("pipe_paused", "1 while the pipe is paused.", status.pipe.isPaused ? 1 : 0)
    gauge("staging_rows", "Rows in staging.", status.staging.rows)
    gauge(
      "staging_waiting_rows", "Rows in staging that silver has not taken in.",
      status.staging.waiting)
    gauge("silver_rows", "Purchases in silver.", status.silver.rows)
    gauge(
      "silver_duplicates", "Rows that repeat a purchase and are equal to it.",
      status.silver.duplicates)
    gauge(
      "silver_conflicts", "Rows that repeat a purchase's id and differ from it.",
      status.silver.conflicts)
    gauge("gold_transactions", "Purchases in gold.", status.gold.transactions)
    gauge(
      "gold_revenue", "Revenue in gold, in the currency of the prices.", Double(status.gold.revenue)
    )
    gauge("gold_age_seconds", "Age of the newest event in gold.", status.freshnessSeconds)
    gauge("dbt_ok", "1 unless a failure of dbt stands.", status.dbt.map { $0.ok ? 1.0 : 0 })
    gauge(
      "balanced", "1 if every line is accounted for, and nothing is parked or changed.",
      status.balance.balanced ? 1 : 0)
    header("healthy", "gauge", "1 where a check of the pipeline's health is passed.")
    for check in reading.health.checks {
      sample("healthy", check.ok ? 1 : 0, ["check": check.name])
    }
    let tallies = reading.tallies
    header(
      "retries_total", "counter",
      "Tries that failed by a fault of the object's or the file's own.")
    sample("retries_total", Double(tallies[.bronzeRetries] ?? 0), ["stage": "bronze"])
    sample("retries_total", Double(tallies[.pipeRetries] ?? 0), ["stage": "pipe"])
    counter("pipe_failed_files_total", "Loads that failed.", tallies[.failedLoads] ?? 0)
    counter("refreshes_failed_total", "Runs of dbt that failed.", tallies[.failedRefreshes] ?? 0)
    for (name, metric, help) in Self.histograms {
      histogram(metric, help, reading.timings[name] ?? Timing())
    }
    gauge("dashboard_viewers", "Pages that are open and updated.", viewers)
  }

  private static let histograms: [(Timing.Name, String, String)] = [
    (.bronzeBatch, "bronze_batch_seconds", "From the start of a batch to its publication."),
    (
      .bronzeLag, "bronze_lag_seconds", "From the arrival of a batch's oldest object to its commit."
    ),
    (.pipeLag, "pipe_lag_seconds", "From a file's commit, or its notice, to its load."),
    (.refresh, "refresh_seconds", "Duration of a run of dbt."),
    (
      .freshness, "gold_freshness_seconds",
      "Age of the newest event in gold, right after a refresh that brought one."
    ),
  ]
}
