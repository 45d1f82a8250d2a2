import Foundation
import Yams

/// Looks settings up where a flag was not given: in `MEDALLION_*` variables, then in
/// `medallion.yaml`.
///
/// A setting has its flag's name: `--batch-size` is `MEDALLION_BATCH_SIZE` and `batch-size:`.
struct Settings {
  /// Every setting that the file and the environment may hold.
  static let names: Set<String> = [
    "lake", "state", "contract", "log-level", "log-format", "batch-size", "sleep", "rate", "events",
    "faults",
    "seed", "answer-key", "for", "parquet-encodings", "world", "queue", "host", "port", "users",
    "error-notification", "account", "user", "private-key", "endpoint", "pipe",
    "token-file", "stuck-after",
  ]

  private let environment: [String: String]
  private let file: [String: String]
  private let path: String

  /// Reads `medallion.yaml` in the current directory, or the file that `MEDALLION_CONFIG` names.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    self.environment = environment
    path = environment["MEDALLION_CONFIG"] ?? "medallion.yaml"
    guard let text = FileManager.default.contents(atPath: path) else {
      if environment["MEDALLION_CONFIG"] != nil {
        throw UsageError("MEDALLION_CONFIG is \(path), and there is no such file")
      }
      file = [:]
      return
    }
    file = try Self.parse(String(decoding: text, as: UTF8.self), path: path)
  }

  /// The value of a setting that was not given as a flag, read as what the caller needs.
  func value<T>(_ name: String, _ read: (String) throws -> T?) throws -> T? {
    let variable = "MEDALLION_" + name.uppercased().replacing("-", with: "_")
    for (source, text) in [(variable, environment[variable]), ("\(path): \(name)", file[name])] {
      guard let text else { continue }
      guard let value = try read(text) else {
        throw UsageError("\(source) is '\(text)', which is not what \(name) can be")
      }
      return value
    }
    return nil
  }

  /// The parser's complaint in one line.
  private static func problem(_ error: any Error) -> String {
    switch error as? YamlError {
    case .parser(_, let problem, let mark, _), .scanner(_, let problem, let mark, _):
      "line \(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let keys, _):
      "\(keys.joined(separator: ", ")) stands in it twice"
    default: String(describing: error).split(separator: "\n").first.map(String.init) ?? "?"
    }
  }

  private static func parse(_ text: String, path: String) throws -> [String: String] {
    let node: Node?
    do {
      node = try Yams.compose(yaml: text)
    } catch {
      throw UsageError("\(path) is not valid YAML: \(problem(error))")
    }
    guard let node else { return [:] }
    guard let mapping = node.mapping else {
      throw UsageError("\(path) must hold settings, one 'name: value' a line")
    }
    var values: [String: String] = [:]
    for (key, value) in mapping {
      guard let name = key.string, names.contains(name) else {
        throw UsageError(
          "\(path): there is no setting '\(key.string ?? "?")'; there are "
            + names.sorted().joined(separator: ", "))
      }
      guard let scalar = value.scalar else {
        throw UsageError("\(path): \(name) must be a single value")
      }
      values[name] = scalar.string
    }
    return values
  }
}
