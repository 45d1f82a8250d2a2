/// Silver and gold in a warehouse that is no file of this host, such as Snowflake: dbt alone.
///
/// The local warehouse, its lease and published gold are left as they are. How to connect is in the
/// profile, which takes it from the environment.
public struct RemoteTransform: Sendable {
  private let project: DbtProject

  public init(project: DbtProject) { self.project = project }

  /// Runs dbt and returns its reply, in which nothing failed.
  ///
  /// Throws `TransformError`: `missing` if dbt's adapter for the target is not installed, `failed`
  /// with dbt's words.
  public func run(_ request: DbtRequest) async throws -> DbtReply {
    let reply = try await DbtWorker.withSession(
      project, target: request.target, warehouse: nil
    ) { session in
      try await session.request(request)
    }
    if reply.code == "adapter_missing" {
      throw TransformError(
        .missing,
        "dbt-\(request.target.rawValue) is not installed for \(project.python): '.deps/uv/bin/uv sync --group \(request.target.rawValue)' installs it"
      )
    }
    if let failure = reply.failure { throw TransformError(.failed, "dbt failed: \(failure)") }
    return reply
  }
}
