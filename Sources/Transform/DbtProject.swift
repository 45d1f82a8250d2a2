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
    } catch {
      throw TransformError(
        .missing, "cannot make \(scratch): it must be a directory that this user may write")
    }
  }

  var worker: String { "\(directory)/worker.py" }
}
