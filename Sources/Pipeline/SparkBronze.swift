import Foundation
import Lake
import ObjectStore
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Bronze by Spark: the job that Glue runs, handed to `spark-submit` on this machine.
///
/// It commits as the Swift engine does, so either can follow the other on one lake.
public struct SparkBronze: Sendable {
  private let workspace: Workspace

  public init(_ workspace: Workspace) { self.workspace = workspace }

  /// Consumes what is in raw, and returns once it is committed and published.
  ///
  /// - Parameter progress: gets each line in which the job says how far it is.
  public func run(progress: @escaping @Sendable (String) -> Void) async throws {
    let spark = try Self.spark(workspace.home)
    let glue = "\(workspace.home.path)/glue"
    let lake = workspace.lake.store.location
    let arguments = [
      "--master", "local[*]", "--conf", "spark.ui.enabled=false",
      "--conf", "spark.ui.showConsoleProgress=false", "\(glue)/glue_job_cleaner.py",
      "--JOB_NAME", "bronze", "--INPUT_S3", "\(lake)/raw/", "--OUTPUT_S3", "\(lake)/bronze/",
      "--CONTRACT", workspace.contract.path,
    ]
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
    let log = "\(workspace.state)/logs/spark.log"
    try FileManager.default.createDirectory(
      atPath: "\(workspace.state)/logs", withIntermediateDirectories: true)
    let errors = try FileDescriptor.open(
      FilePath(log), .writeOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    let result = try await Subprocess.run(
      .path(FilePath(spark.submit)), arguments: Arguments(arguments),
      environment: .inherit.updating([
        "SPARK_HOME": spark.home, "PYSPARK_PYTHON": workspace.home.python, "PYTHONPATH": glue,
      ]),
      platformOptions: options, input: .none, output: .sequence,
      error: .fileDescriptor(errors, closeAfterSpawningProcess: true)
    ) { execution in
      for try await line in execution.standardOutput.strings() {
        let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        if !text.isEmpty { progress(text) }
      }
    }
    guard result.terminationStatus.isSuccess else {
      throw LakeError(
        .engineFailed,
        "Spark's job failed (\(result.terminationStatus)): \(log) says why; what it committed stays"
      )
    }
  }

  // MARK: -

  /// Where Spark is: `SPARK_HOME`, or the project's own Python environment.
  private static func spark(_ home: Home) throws -> (home: String, submit: String) {
    var places = [ProcessInfo.processInfo.environment["SPARK_HOME"]].compactMap(\.self)
    let library = "\(home.path)/.venv/lib"
    for version in (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? [] {
      places.append("\(library)/\(version)/site-packages/pyspark")
    }
    for place in places {
      let submit = "\(place)/bin/spark-submit"
      if FileManager.default.isExecutableFile(atPath: submit) { return (place, submit) }
    }
    throw LakeError(
      .engineFailed,
      "Spark is not found: set SPARK_HOME, or install it with '.deps/uv/bin/uv sync --frozen --all-groups'"
    )
  }
}
