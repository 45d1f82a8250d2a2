import Foundation
import Logging
import ServiceLifecycle
import Subprocess
import Synchronization
import Warehouse

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A Python process that keeps dbt and its parsed project in memory, and answers requests.
///
/// It takes the warehouse's lease itself for each request, and ends when its standard input does:
/// however this process dies, no child stays behind.
enum DbtWorker {
  /// One running worker.
  struct Session {
    fileprivate let send: (DbtRequest) async throws -> DbtReply

    /// Has dbt do something and waits for the end of it.
    func request(_ request: DbtRequest) async throws -> DbtReply { try await send(request) }
  }

  /// Starts a worker, hands it to `body`, and ends it.
  ///
  /// - Parameters:
  ///   - target: what its requests will ask for.
  ///   - warehouse: the file that it works on; nil where the profile's target is elsewhere.
  ///   - patience: how long a run at hand may take once this process is told to end; then the
  ///     worker is ended, which the models stand at any moment. Nil waits for the run.
  static func withSession<T: Sendable>(
    _ project: DbtProject, target: DbtTarget = .duckdb, warehouse: Warehouse?,
    patience: Duration? = nil, _ body: (Session) async throws -> T
  ) async throws -> T {
    let logPath = "\(project.scratch)/worker.log"
    let log = try FileDescriptor.open(
      FilePath(logPath), .writeOnly, options: [.create, .append],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    var options = PlatformOptions()
    // A Ctrl-C at the terminal is for this process, which lets a run at hand finish.
    options.processGroupID = 0
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    let outcome = try await Subprocess.run(
      .path(FilePath(project.python)),
      arguments: [
        "-u", project.worker, "--project-dir", project.directory,
        "--target", target.rawValue, "--parsed-path", "\(project.directory)/target",
        "--target-path", "\(project.scratch)/target", "--log-path", project.scratch,
      ],
      environment: .inherit.updating([
        "MEDALLION_WAREHOUSE": warehouse?.path, "MEDALLION_LEASE": warehouse?.leasePath,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
      ]),
      workingDirectory: FilePath(project.directory), platformOptions: options,
      input: .inputWriter, output: .sequence,
      error: .fileDescriptor(log, closeAfterSpawningProcess: true)
    ) { execution in
      var lines = execution.standardOutput.strings(
        bufferingPolicy: .maxLineLength(64 << 20)
      ).makeAsyncIterator()
      var lastID = 0
      let session = Session { request in
        var request = request
        lastID += 1
        request.id = lastID
        let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self) + "\n"
        do {
          _ = try await execution.standardInputWriter.write(text)
          // Each request has one reply.
          if let line = try await lines.next(),
            let reply = try? JSONDecoder().decode(DbtReply.self, from: Data(line.utf8)),
            reply.id == request.id
          {
            return reply
          }
        } catch is CancellationError {
          throw CancellationError()
        } catch {
          throw lost(logPath)
        }
        throw lost(logPath)
      }
      async let _: Void = end(execution.processIdentifier, after: patience)
      let value = try await body(session)
      try? await execution.standardInputWriter.finish()
      return value
    }
    return outcome.closureResult
  }

  /// Ends the worker so long after this process was told to end.
  private static func end(_ worker: ProcessIdentifier, after patience: Duration?) async throws {
    guard let patience else { return }
    try await gracefulShutdown()
    try await Task.sleep(for: patience)
    // It is a child that nobody has waited for yet, so the number is still its own.
    kill(worker.value, SIGTERM)
  }

  private static func lost(_ logPath: String) -> TransformError {
    TransformError(.workerLost, "the dbt worker ended in the middle of a run: see \(logPath)")
  }
}
