import Foundation
import Ledger
import TestSupport
import Testing
import Transform
import Warehouse

@Suite struct TransformReportTests {
  /// What stands after refreshes of the whole graph and of a part, each at a second of a minute.
  private func standing(
    whole: (second: Int, ok: Bool)?, part: (second: Int, ok: Bool)?
  ) async throws -> String? {
    let test = try await TestLake()
    let ledger = test.ledger
    for (gauge, refresh) in [("transform", whole), ("transform.part", part)] {
      guard let refresh else { continue }
      let counts = String(decoding: try JSONEncoder().encode(WarehouseCounts()), as: UTF8.self)
      let failure = refresh.ok ? "null" : "\"a model broke\""
      let report = """
        {"at": "2026-11-24T10:00:\(refresh.second).000Z", "ok": \(refresh.ok), "command": "\(gauge)",
         "elapsedSeconds": 1, "failure": \(failure), "nodes": {}, "counts": \(counts)}
        """
      try ledger.setGauge(
        gauge, try JSONDecoder().decode(TransformReport.self, from: Data(report.utf8)))
    }
    return try withExtendedLifetime(test) { try TransformReport.standing(in: ledger)?.command }
  }

  @Test func `the last refresh stands where none has failed`() async throws {
    #expect(try await standing(whole: nil, part: nil) == nil)
    #expect(try await standing(whole: (10, true), part: nil) == "transform")
    #expect(try await standing(whole: nil, part: (10, true)) == "transform.part")
    #expect(try await standing(whole: (10, true), part: (20, true)) == "transform.part")
    #expect(try await standing(whole: (20, true), part: (10, true)) == "transform")
  }

  @Test func `a failure of the whole graph stands while parts go through`() async throws {
    #expect(try await standing(whole: (10, false), part: (20, true)) == "transform")
    #expect(try await standing(whole: (10, false), part: (20, false)) == "transform.part")
  }

  @Test func `a failure of a part stands until a later refresh of the whole graph`() async throws {
    #expect(try await standing(whole: (10, true), part: (20, false)) == "transform.part")
    #expect(try await standing(whole: (20, true), part: (10, false)) == "transform")
  }
}
