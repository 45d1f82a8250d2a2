import Flow
import Foundation
import Lake
import Ledger
import TestSupport
import Testing
import Transform
import Warehouse

/// The stage's schedule, with a worker that writes down what it is asked for.
@Suite(.timeLimit(.minutes(5))) struct TransformStageTests {
  /// Answers every request; those that select what `fails` holds fail.
  private static let worker = """
    import json, pathlib, sys
    log, fails = pathlib.Path("requests"), pathlib.Path("fails")
    for line in sys.stdin:
        request = json.loads(line)
        asked = " ".join([request["command"], *request["select"]])
        ok = not fails.exists() or fails.read_text() != asked
        with log.open("a") as file:
            file.write(asked + "\\n")
        print(json.dumps({"id": request["id"], "ok": ok, "elapsed_seconds": 0, "nodes": [],
            "code": None if ok else "node_failed", "error": None if ok else "it broke"}), flush=True)
    """

  private func project(_ test: TestLake) throws -> DbtProject {
    try test.directory.write(Self.worker, to: "dbt/worker.py")
    try test.directory.write("", to: "dbt/dbt_project.yml")
    return try DbtProject(
      python: "\(TestLake.project)/.venv/bin/python", directory: test.directory.file("dbt"),
      scratch: test.directory.file("scratch"))
  }

  private func requests(_ test: TestLake) -> [String] {
    let text = try? String(contentsOfFile: test.directory.file("dbt/requests"), encoding: .utf8)
    return text?.split(separator: "\n").map(String.init) ?? []
  }

  /// The stage at work: what wakes it, and what it has done since.
  private struct Running {
    let signal = Signal()
    /// Raised after each refresh.
    let refreshed = Signal()

    /// Waits for what a refresh brings about.
    ///
    /// - Parameter raising: wakes the stage for one refresh after the other.
    func wait(raising: Bool = false, until condition: () -> Bool) async {
      if raising { signal.raise() }
      for await _ in refreshed.wakes {
        if condition() { return }
        if raising { signal.raise() }
      }
    }
  }

  /// Runs the stage beside `body`, and then has it drain.
  private func running(
    _ test: TestLake, _ body: (Running) async throws -> Void
  ) async throws {
    let running = Running()
    let stage = TransformStage(
      lake: test.lake, ledger: test.ledger, warehouse: test.warehouse, project: try project(test),
      logger: test.logger
    ) { [refreshed = running.refreshed] _ in refreshed.raise() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await stage.run(
          upstream: running.signal, interval: .zero, wholeInterval: .milliseconds(500))
      }
      try await body(running)
      running.signal.finish()
      try await group.waitForAll()
    }
  }

  @Test func `what the live models took in reaches the rest though nothing more is loaded`()
    async throws
  {
    let test = try await TestLake()
    try await running(test) { stage in
      await stage.wait(raising: true) { requests(test).contains("run tag:live") }
      // Nobody raises the signal again.
      await stage.wait { requests(test).last == "run" }
    }
    let asked = requests(test)
    #expect(asked.first == "run")
    #expect(asked.last == "build")
    #expect(try TransformReport.standing(in: test.ledger)?.command == "build")
  }

  @Test func `a failure of the whole graph does not keep the live models from being refreshed`()
    async throws
  {
    let test = try await TestLake()
    try test.directory.write("run", to: "dbt/fails")
    try await running(test) { stage in
      await stage.wait(raising: true) { requests(test).contains("run tag:live") }
      // It is told while live refreshes go through, and tried again.
      await stage.wait { requests(test).count { $0 == "run" } >= 2 }
      let report = try TransformReport.standing(in: test.ledger)
      #expect(report?.failure == "it broke")
    }
    #expect(try TransformReport.standing(in: test.ledger)?.ok == true)
  }

  @Test func `a failure of the live models does not keep the whole graph from being tried`()
    async throws
  {
    let test = try await TestLake()
    try test.directory.write("run tag:live", to: "dbt/fails")
    try await running(test) { stage in
      await stage.wait(raising: true) { requests(test).contains("run tag:live") }
      await stage.wait { requests(test).count { $0 == "run" } >= 2 }
    }
    #expect(try TransformReport.standing(in: test.ledger)?.ok == true)
  }
}
