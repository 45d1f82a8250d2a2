import ArgumentParser
import Dashboard
import Foundation
import Ledger
import Pipeline
import ServiceLifecycle

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tells what the lake holds and what waits; waits for nobody.",
    discussion: """
      With --watch it goes on until Ctrl-C: on a terminal in place, elsewhere each time that something \
      has changed; with --json then one line a time.

      Examples:
        medallion status
        medallion status --watch
        medallion status --json | python3 -m json.tool
      """)

  @OptionGroup var lakeOptions: LakeOptions

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  @Flag(help: "Look again each second.")
  var watch = false

  @Option(
    help: "With --watch: how long something may wait before a stage counts as stuck. (default: 2m)")
  var stuckAfter: Span?

  func run() async throws {
    let workspace = try await lakeOptions.open(creating: false)
    if watch {
      let command = self
      return try await withSignals(try lakeOptions.logger()) { try await command.watch(workspace) }
    }
    let status = try await Status(workspace)
    if json { return try printJSON(status) }
    print(Self.text(status))
  }

  private func watch(_ workspace: Workspace) async throws {
    let monitor = Monitor(
      lake: workspace.lake, ledger: workspace.ledger, warehouse: workspace.warehouse,
      patience: try stuckAfter.patience())
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var last: Status?
    while !Task.isShuttingDownGracefully {
      let reading = try await monitor.read()
      let status = reading.status
      if json {
        if status.differs(from: last) {
          print(String(decoding: try encoder.encode(status), as: UTF8.self))
        }
      } else if isTerminal {
        // From the top left, over what was there.
        print("\u{1B}[H\u{1B}[2J" + Self.text(status, reading))
      } else if status.differs(from: last) {
        print(Self.text(status, reading) + "\n")
      }
      // Whoever reads it through a pipe wants it now.
      fflush(nil)
      last = status
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
  }

  private static func text(_ status: Status, _ reading: Monitor.Reading? = nil) -> String {
    var lines = ["lake \(status.lake), \(status.commits) commits", RunCommand.table(status)]
    if let rates = reading?.rates {
      lines.append(
        String(
          format:
            "a second: %.0f raw lines, %.0f bronze rows, %.0f staging rows, %.0f purchases in silver",
          rates.rawLines, rates.bronzeRows, rates.stagingRows, rates.silverRows))
    }
    if status.raw.waiting > 0 { lines.append("\(status.raw.waiting) raw objects wait for bronze") }
    let sizes = status.bronze.fileSizes
    lines.append(
      "bronze files: \(sizes.under1MiB) under 1 MiB, \(sizes.from1To16MiB) to 16 MiB, "
        + "\(sizes.from16To128MiB) to 128 MiB, \(sizes.over128MiB) larger")
    for (reason, count) in status.quarantine.reasons.sorted(by: { $0.key < $1.key }) {
      lines.append("quarantined \(count)  \(reason)")
    }
    for (field, count) in status.bronze.rescued.sorted(by: { $0.key < $1.key }) {
      lines.append("rescued \(count)  \(field)")
    }
    if let age = status.freshnessSeconds {
      lines.append(String(format: "newest event in gold: %.1f s old", age))
    }
    if let dbt = status.dbt {
      lines.append(
        dbt.ok ? "dbt: succeeded at \(dbt.at)" : "dbt: failed at \(dbt.at): \(dbt.failure ?? "")")
    }
    if status.pipe.isPaused {
      lines.append("the pipe is paused: 'medallion pipe resume' lets it load")
    }
    for check in reading?.health.checks ?? [] where !check.ok && check.name != "dbt" {
      lines.append("\(check.name): \(check.detail)")
    }
    for check in status.balance.checks where !check.ok {
      lines.append("NOT BALANCED: \(check.name): \(check.left) and \(check.right)")
    }
    if status.raw.ignored > 0 {
      lines.append("\(status.raw.ignored) files under raw/ are no raw objects")
    }
    for trouble in status.troubles {
      lines.append("waits for you: \(trouble.key) (\(trouble.stage)): \(trouble.reason)")
    }
    return lines.joined(separator: "\n")
  }
}

extension Status {
  /// Whether anything but the time has changed.
  fileprivate func differs(from other: Status?) -> Bool {
    guard let other else { return true }
    return commits != other.commits || balance != other.balance || raw.waiting != other.raw.waiting
      || quarantine.lines != other.quarantine.lines || pipe.pending != other.pipe.pending
      || pipe.state != other.pipe.state || gold.revenue != other.gold.revenue
      || dbt?.at != other.dbt?.at || troubles != other.troubles
  }
}
