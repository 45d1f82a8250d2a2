import ArgumentParser
import Foundation
import Lake

/// The command.
@main
struct Medallion: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "medallion",
    abstract: "Streams retail purchases through raw, bronze, silver and gold.",
    discussion: """
      A lake is a directory: raw/ holds immutable NDJSON, bronze/ Parquet, quarantine/ the lines \
      that were refused, commits/ the history, gold/ the published tables.

      Settings come from flags, then from MEDALLION_* variables (--batch-size is \
      MEDALLION_BATCH_SIZE), then from medallion.yaml, then from defaults: \
      \(Settings.names.sorted().joined(separator: ", ")).

      Exit codes: 0 done, 1 failed, 2 wrong usage.

      Examples:
        medallion run                          the whole pipeline in ./lake, until Ctrl-C
        medallion run --for 60s --rate 500     for a minute, then drain to gold
        medallion status --json                what the lake holds
        medallion verify --deep                prove that no line is lost
        medallion serve                        the dashboard on http://127.0.0.1:8080
      """,
    version: Version.number,
    subcommands: [
      RunCommand.self, SimulateCommand.self, BronzeCommand.self, IngestCommand.self,
      TransformCommand.self, StatusCommand.self, VerifyCommand.self, RedriveCommand.self,
      RebuildCommand.self, ServeCommand.self, PipeCommand.self, DoctorCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      finish(error)
    }
  }

  /// Ends the process the way that its promise says: one sentence, and 1 or 2.
  private static func finish(_ failure: any Error) -> Never {
    if failure is CleanExit || failure is ExitCode { exit(withError: failure) }
    let code = exitCode(for: failure)
    if code == .success { exit(withError: failure) }
    if failure is UsageError || code == .validationFailure {
      FileHandle.standardError.write(Data((fullMessage(for: failure) + "\n").utf8))
      Foundation.exit(2)
    }
    switch Terminal.format {
    case .text: Terminal.note("medallion: \(failure)")
    case .json: Terminal.tell(level: "error", "\(failure)", [:])
    }
    Foundation.exit(1)
  }
}

/// A setting that cannot be used: exit code 2.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
