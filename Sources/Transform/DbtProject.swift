import Foundation

/// Where dbt and the models are.
public struct DbtProject: Sendable {
  /// The Python interpreter of the environment that has dbt.
  public let python: String
  /// The directory of `dbt_project.yml`.
  public let directory: String
  /// Where dbt keeps what it parsed and what it logged.
  public let scratch: String

  /// Throws `TransformError.missing` where a part of it is not there.
  public init(python: String, directory: String, scratch: String) throws {
    self.python = python
    self.directory = directory
    self.scratch = scratch
    for path in [python, "\(directory)/dbt_project.yml", worker]
    where !FileManager.default.fileExists(atPath: path) {
      throw TransformError(.missing, "dbt is not set up: \(path) is missing; run 'make setup'")
    }
    do {
      try FileManager.default.createDirectory(
        atPath: scratch, withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: "\(directory)/profiles.yml") {
        let example = try Data(contentsOf: URL(filePath: "\(directory)/profiles.yml.example"))
        try example.write(to: URL(filePath: "\(scratch)/profiles.yml"), options: .atomic)
      }
    } catch {
      throw TransformError(
        .missing, "cannot write to \(scratch): give this user the right to it (\(error))")
    }
  }

  /// Where the connections are: the user's own file, or a copy of the example.
  var profiles: String {
    FileManager.default.fileExists(atPath: "\(directory)/profiles.yml") ? directory : scratch
  }

  var worker: String { "\(directory)/worker.py" }
}
