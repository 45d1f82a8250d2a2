import Foundation
public import ObjectStore

/// A job of AWS Glue, and its runs.
///
/// Source: *Job runs API*, in the AWS Glue developer guide.
public struct GlueJob: Sendable {
  /// How far a run is.
  public struct Run: Sendable, Equatable {
    /// As Glue names it: STARTING, RUNNING, SUCCEEDED, FAILED …
    public let state: String
    public let error: String?
    /// For how long it has been running.
    public let seconds: Int
    /// What it costs, in DPU seconds; nil until Glue says.
    public let dpuSeconds: Double?

    public var hasEnded: Bool {
      !["STARTING", "RUNNING", "STOPPING", "WAITING"].contains(state)
    }

    public var hasSucceeded: Bool { state == "SUCCEEDED" }
  }

  public let name: String
  private let client: AWSClient

  public init(name: String, environment: AWSEnvironment) throws {
    self.name = name
    client = try asStoreSettings { try environment.client("glue") }
  }

  /// Starts a run and returns its id.
  ///
  /// - Parameter arguments: in place of the job's own of the same names, such as `--INPUT_S3`.
  public func start(_ arguments: [String: String]) async throws -> String {
    struct Input: Encodable {
      let jobName: String
      let arguments: [String: String]
    }
    struct Output: Decodable {
      let jobRunId: String
    }
    let output: Output = try await call("StartJobRun", Input(jobName: name, arguments: arguments))
    return output.jobRunId
  }

  public func run(_ id: String) async throws -> Run {
    struct Input: Encodable {
      let jobName: String
      let runId: String
    }
    struct Output: Decodable {
      struct JobRun: Decodable {
        let jobRunState: String
        let errorMessage: String?
        let executionTime: Int?
        let dPUSeconds: Double?
      }
      let jobRun: JobRun
    }
    let output: Output = try await call("GetJobRun", Input(jobName: name, runId: id))
    let found = output.jobRun
    return Run(
      state: found.jobRunState, error: found.errorMessage, seconds: found.executionTime ?? 0,
      dpuSeconds: found.dPUSeconds)
  }

  /// Asks Glue to stop a run.
  public func stop(_ id: String) async throws {
    struct Input: Encodable {
      let jobName: String
      let jobRunIds: [String]
    }
    struct Output: Decodable {}
    let _: Output = try await call("BatchStopJobRun", Input(jobName: name, jobRunIds: [id]))
  }

  private func call<Output: Decodable>(
    _ operation: String, _ input: some Encodable
  ) async throws -> Output {
    try await asStore {
      try await client.callJSON(
        target: "AWSGlue.\(operation)", version: "1.1", input, action: "glue:\(operation)",
        resource: "the job \(name)")
    }
  }
}
