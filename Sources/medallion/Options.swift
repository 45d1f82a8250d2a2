import ArgumentParser
import Flow
import Foundation
import Logging
import Pipeline
import ServiceLifecycle
import Transform
import UnixSignals

/// The options of every command that works on a lake.
struct LakeOptions: ParsableArguments {
  @Option(help: "The lake: a directory, or s3://bucket/prefix. (default: ./lake)")
  var lake: String?

  @Option(
    help: """
      Where this host keeps its ledger, warehouse and logs. (default: the lake, or for one in S3 \
      ./medallion-state/bucket/prefix)
      """)
  var state: String?

  @Option(help: "The contract's file. (default: the project's own)")
  var contract: String?

  @Option(help: "The least important messages to log: debug, info, warning or error.")
  var logLevel: String?

  @Option(help: "How to log: text, or json for machines. (default: text)")
  var logFormat: String?

  func place() throws -> String { try lake ?? Settings().value("lake") { $0 } ?? "./lake" }

  func statePlace() throws -> String? { try state ?? Settings().value("state") { $0 } }

  func contractPlace() throws -> String? { try contract ?? Settings().value("contract") { $0 } }

  /// Opens the lake for a stage that reads what others put there: a place without a lake in it may
  /// hold raw objects, but a mistyped name must not become a lake.
  func openExisting() async throws -> Workspace { try await open(creating: nil) }

  func open(creating: Bool?) async throws -> Workspace {
    try await Workspace.open(
      try place(), state: try statePlace(), contract: try contractPlace(), creating: creating)
  }

  /// Logs go to stderr.
  func logger(quiet: Bool = false) throws -> Logger {
    let name = try logLevel ?? Settings().value("log-level") { $0 } ?? (quiet ? "warning" : "info")
    guard let level = Logger.Level(rawValue: name) else {
      throw UsageError("there is no log level '\(name)': use debug, info, warning or error")
    }
    let formatName = try logFormat ?? Settings().value("log-format") { $0 } ?? "text"
    guard let format = Terminal.Format(rawValue: formatName) else {
      throw UsageError("there is no log format '\(formatName)': use text or json")
    }
    Terminal.format = format
    var logger = Logger(label: "medallion") { _ in LineLogHandler() }
    logger.logLevel = level
    return logger
  }
}

extension DbtTarget {
  /// The target that an option names.
  static func named(_ name: String) throws -> DbtTarget {
    guard let target = DbtTarget(rawValue: name) else {
      let names = allCases.map(\.rawValue).joined(separator: " or ")
      throw UsageError("there is no target '\(name)': use \(names)")
    }
    return target
  }
}

/// A span of time as a person writes it: `500ms`, `90s`, `5m`, `2h`, or seconds without a unit.
struct Span: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]
    guard let unit = units.first(where: { argument.hasSuffix($0.0) }),
      let number = Double(argument.dropLast(unit.0.count)), number >= 0,
      // Ten years: more is a slip, and in the end more than a clock can count.
      number * unit.1 <= 315_360_000
    else { return nil }
    duration = .seconds(number * unit.1)
  }
}

/// An instant as a person writes it: RFC 3339 with an offset, or a UTC date.
struct Instant: ExpressibleByArgument {
  let micros: Int64

  init?(argument: String) {
    let styles = [
      Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true),
      Date.ISO8601FormatStyle().year().month().day(),
    ]
    guard let date = styles.lazy.compactMap({ try? $0.parse(argument) }).first else { return nil }
    micros = Int64((date.timeIntervalSince1970 * 1e6).rounded())
  }
}

extension Instant {
  /// Whether an event may have this time, or end right before it.
  var isWithinContract: Bool { (946_684_800_000_000...4_102_444_799_999_999).contains(micros) }
}

/// Runs work until it ends, or until Ctrl-C or SIGTERM has it finish what is at hand.
func withSignals(_ logger: Logger, _ work: @escaping @Sendable () async throws -> Void) async throws
{
  struct Work: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws {
      // The stages use calls that block, on threads that may.
      do {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await work() }
      } catch is CancellationError where Task.isShuttingDownGracefully {
        // It was waiting, and was told to end: that is no failure.
      }
    }
  }
  var quiet = logger
  quiet.logLevel = .critical
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(
      services: [
        .init(
          service: Work(work: work), successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      ],
      gracefulShutdownSignals: [.sigint, .sigterm], logger: quiet))
  try await group.run()
}

/// Prints JSON with sorted keys.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
