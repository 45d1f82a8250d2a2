import ArgumentParser
import Foundation
import KeyPair
import Lake
import Ledger
import Pipeline
import Snowpipe
import SnowpipeREST

/// Which pipe: the lake's own, or one behind Snowpipe's REST calls.
struct PipeOptions: ParsableArguments {
  @OptionGroup var lakeOptions: LakeOptions

  @Option(
    help: "The Snowflake account, by name or host. Without one the pipe is the lake's own.")
  var account: String?

  @Option(help: "The user whose key it is.")
  var user: String?

  @Option(
    help: """
      The user's private key in PEM (PKCS#8). The passphrase of an encrypted one comes from \
      MEDALLION_PRIVATE_KEY_PASSPHRASE, or is asked for.
      """)
  var privateKey: String?

  @Option(help: "Where the service listens, if not at the account: http://127.0.0.1:8080")
  var endpoint: String?

  @Option(help: "The pipe's full name. (default: \(PipeStage.name))")
  var pipe: String?

  /// Runs `body` with the pipe that is meant.
  func withService<T: Sendable>(
    _ body: @escaping @Sendable (any PipeService) async throws -> T
  ) async throws -> T {
    let settings = try Settings()
    let pipe = try pipeName(settings)
    guard let account = try account ?? settings.value("account", { $0 }) else {
      for (flag, value) in [
        ("--endpoint", endpoint), ("--user", user), ("--private-key", privateKey),
      ] where value != nil {
        throw UsageError("\(flag) wants --account, too")
      }
      guard pipe == EmbeddedPipe.name else {
        throw UsageError(
          "the lake has no pipe '\(pipe)': it has \(PipeStage.name); --account names another's")
      }
      let workspace = try await lakeOptions.open(creating: false)
      return try await body(EmbeddedPipe(lake: workspace.lake, ledger: workspace.ledger))
    }
    guard let user = try user ?? settings.value("user", { $0 }),
      let keyPath = try privateKey ?? settings.value("private-key", { $0 })
    else {
      throw UsageError("--account wants --user and --private-key, too: 'medallion pipe keys' helps")
    }
    let service = try serviceEndpoint(account, settings)
    let tokens = TokenIssuer(
      principal: Principal(account: account, user: user), key: try PrivateKeyFile.read(keyPath))
    let logger = try lakeOptions.logger(quiet: true)
    return try await SnowpipeClient.withHTTPClient { http in
      do {
        return try await body(
          SnowpipeClient(
            endpoint: service, pipe: pipe, tokens: tokens, http: http, logger: logger))
      } catch let refusal as PipeRefusal {
        throw Refused(refusal: refusal, endpoint: service)
      }
    }
  }

  private func serviceEndpoint(_ account: String, _ settings: Settings) throws -> Endpoint {
    guard let url = try endpoint ?? settings.value("endpoint", { $0 }) else {
      return Endpoint(account: account)
    }
    do {
      return try Endpoint(url: url)
    } catch {
      throw UsageError(error.message)
    }
  }

  private func pipeName(_ settings: Settings) throws -> PipeName {
    let text = try pipe ?? settings.value("pipe") { $0 } ?? PipeStage.name
    guard let name = PipeName(text) else {
      throw UsageError("'\(text)' is no full name of a pipe: it is like \(PipeStage.name)")
    }
    return name
  }

  /// A refusal, and whose.
  private struct Refused: Error, CustomStringConvertible {
    let refusal: PipeRefusal
    let endpoint: Endpoint

    var description: String {
      "\(endpoint) refuses: \(refusal.message) (status \(refusal.status), code \(refusal.code))"
        + mend
    }

    private var mend: String {
      switch refusal.code {
      case "394300": ": is --user spelled right?"
      case "394304": ": the user has another public key; 'medallion pipe keys' prints the statement"
      case "394307": ": is --account spelled right?"
      default: ""
      }
    }
  }
}

/// Files that a command names.
struct FileOptions: ParsableArguments {
  @Argument(help: "Paths relative to the pipe's stage, such as dt=2026-11-23/x.parquet.")
  var files: [String] = []

  @Flag(help: "All published bronze files of the lake.")
  var fromLake = false

  func validate() throws {
    if fromLake, !files.isEmpty {
      throw ValidationError("name files or --from-lake, not both")
    }
  }

  func staged(_ lakeOptions: LakeOptions) async throws -> [StagedFile] {
    guard fromLake else { return files.map { StagedFile(path: $0) } }
    let workspace = try await lakeOptions.open(creating: false)
    return try workspace.ledger.publishedFiles().map {
      StagedFile(path: EmbeddedPipe.path(of: $0.key), size: $0.size)
    }
  }
}

/// A private key in a file.
enum PrivateKeyFile {
  static let passphraseVariable = "MEDALLION_PRIVATE_KEY_PASSPHRASE"

  static func read(_ path: String) throws -> PrivateKey {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Unusable(path: path, reason: "there is no such file, or this user may not read it")
    }
    do {
      return try PrivateKey(pem: String(decoding: bytes, as: UTF8.self)) { passphrase(path) }
    } catch let failure as KeyError {
      var reason = failure.message
      if failure.code == .passphraseMissing { reason += ": set \(passphraseVariable)" }
      throw Unusable(path: path, reason: reason)
    }
  }

  private struct Unusable: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "the private key \(path) cannot be used: \(reason)" }
  }

  /// From the environment, or from whoever sits at the terminal.
  private static func passphrase(_ path: String) -> String? {
    if let words = ProcessInfo.processInfo.environment[passphraseVariable] { return words }
    guard isatty(STDIN_FILENO) == 1, let words = getpass("Passphrase of \(path): ") else {
      return nil
    }
    return String(cString: words)
  }
}
