import AWS
import Foundation
public import Lake
import Ledger
import ObjectStore
import ServiceLifecycle

/// Bronze by AWS Glue: starts a run of the job and follows it to its end.
public struct GlueBronze: Sendable {
  private static let between = Duration.seconds(5)

  private let workspace: Workspace
  private let job: GlueJob

  /// - Parameter job: its name, as infra/aws makes it.
  public init(_ workspace: Workspace, job: String) throws {
    guard case .s3 = try StoreLocation(workspace.lake.store.location) else {
      throw LakeError(
        .unsupportedPlace,
        "Glue reads lakes in S3 only: use --engine spark for this one, or name one with --lake s3://bucket/prefix"
      )
    }
    self.workspace = workspace
    self.job = try GlueJob(name: job, environment: StoreLocation.aws())
  }

  /// Has the job consume what is in raw. Told to end, it asks Glue to stop the run.
  ///
  /// - Parameter progress: gets how far it is, whenever that was asked.
  public func run(progress: @escaping @Sendable (String) -> Void) async throws {
    let lake = workspace.lake.store.location
    let id = try await job.start([
      "--INPUT_S3": "\(lake)/raw/", "--OUTPUT_S3": "\(lake)/bronze/",
    ])
    while true {
      let run = try await job.run(id)
      let cost = run.dpuSeconds.map { String(format: ", %.2f DPU hours", $0 / 3600) } ?? ""
      progress("run \(id) of \(job.name): \(run.state.lowercased()), \(run.seconds) s\(cost)")
      if run.hasEnded {
        guard run.hasSucceeded else {
          throw LakeError(
            .engineFailed,
            "run \(id) of the Glue job \(job.name) ended as \(run.state): \(run.error ?? "its log says why"); what it committed stays"
          )
        }
        return
      }
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.between) }
      } catch {
        try await job.stop(id)
        throw error
      }
    }
  }
}

extension Workspace {
  /// What was committed after a commit, by whomever, once the ledger has taken it up.
  public func counts(after number: Int) async throws -> (objects: Int, lines: Commit.Counts) {
    try await ledger.catchUp(with: lake)
    var objects = 0
    var lines = Commit.Counts()
    var next = number + 1
    while let commit = try await lake.commits.read(next) {
      next += 1
      guard commit.kind == .bronze else { continue }
      objects += commit.sources.count
      lines.lines += commit.counts.lines
      lines.accepted += commit.counts.accepted
      lines.blank += commit.counts.blank
      lines.quarantined["", default: 0] += commit.counts.quarantinedTotal
    }
    return (objects, lines)
  }
}
