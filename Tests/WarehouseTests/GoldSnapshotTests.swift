import DuckDB
import Foundation
import Lake
import ObjectStore
import TestSupport
import Testing
import Warehouse

@Suite struct GoldSnapshotTests {
  /// A lake whose warehouse has two tables of gold.
  private func lakeWithGold() async throws -> TestLake {
    let test = try await TestLake()
    try await execute(
      test,
      """
      CREATE SCHEMA retail.gold;
      CREATE TABLE retail.gold.daily (day DATE, revenue DECIMAL(38, 2));
      INSERT INTO retail.gold.daily VALUES ('2026-11-20', 1.50), ('2026-11-21', NULL);
      CREATE TABLE retail.gold.stores (name VARCHAR);
      INSERT INTO retail.gold.stores VALUES ('a'), ('b');
      """)
    return test
  }

  private func execute(_ test: TestLake, _ sql: String) async throws {
    try await test.warehouse.withConnection { try $0.execute(sql) }
  }

  private func publish(_ test: TestLake, keeping: Bool) async throws -> GoldSnapshot {
    let kept =
      keeping ? try await GoldSnapshot.current(in: test.lake)?.presentTables(in: test.lake) : nil
    let export = try await test.warehouse.withConnection {
      try GoldSnapshot.export(
        $0, to: test.directory.file("export"), refresh: BatchID(), keeping: kept ?? [:])
    }
    return try await GoldSnapshot.publish(export, in: test.lake)
  }

  private func different(_ test: TestLake) async throws -> Int? {
    let snapshot = try #require(try await GoldSnapshot.current(in: test.lake))
    let local = try await snapshot.localFiles(in: test.lake)
    return try await test.warehouse.withConnection {
      try snapshot.compare(with: $0, local: local)?.different
    }
  }

  @Test func `only a table whose rows have changed gets a new file`() async throws {
    let test = try await lakeWithGold()
    let first = try await publish(test, keeping: true)
    try await execute(test, "UPDATE retail.gold.daily SET revenue = 2 WHERE revenue IS NULL")
    let second = try await publish(test, keeping: true)
    #expect(second.refresh != first.refresh)
    #expect(second.tables["stores"] == first.tables["stores"])
    #expect(second.tables["daily"]?.files != first.tables["daily"]?.files)
    #expect(second.tables["daily"]?.rows == 2)
    #expect(try await different(test) == 0)
  }

  @Test func `rows in another order are the same, a renamed column is not`() async throws {
    let test = try await lakeWithGold()
    let first = try await publish(test, keeping: true)
    try await execute(
      test,
      """
      CREATE OR REPLACE TABLE retail.gold.stores AS
        FROM (VALUES ('b'), ('a')) AS names (name);
      ALTER TABLE retail.gold.daily RENAME revenue TO takings;
      """)
    let second = try await publish(test, keeping: true)
    #expect(second.tables["stores"] == first.tables["stores"])
    #expect(second.tables["daily"] != first.tables["daily"])
    #expect(try await different(test) == 0)
  }

  @Test func `what changed and was not published is not taken for what is published`()
    async throws
  {
    let test = try await lakeWithGold()
    _ = try await publish(test, keeping: true)
    // A process that was killed before it switched the pointer.
    try await execute(test, "INSERT INTO retail.gold.stores VALUES ('c')")
    _ = try await test.warehouse.withConnection {
      try GoldSnapshot.export($0, to: test.directory.file("export"), refresh: BatchID())
    }
    #expect(try await publish(test, keeping: true).tables["stores"]?.rows == 3)
    #expect(try await different(test) == 0)
  }

  @Test func `a file that is gone is written again, and every file where nothing is kept`()
    async throws
  {
    let test = try await lakeWithGold()
    let first = try await publish(test, keeping: true)
    let gone = try #require(first.tables["stores"]?.files.first)
    try await test.store.delete(ObjectKey(trusted: gone))
    let second = try await publish(test, keeping: true)
    #expect(second.tables["stores"]?.files != first.tables["stores"]?.files)
    #expect(second.tables["daily"] == first.tables["daily"])
    let third = try await publish(test, keeping: false)
    #expect(third.tables["daily"]?.files != first.tables["daily"]?.files)
    #expect(third.tables["daily"]?.fingerprint == first.tables["daily"]?.fingerprint)
  }

  @Test func `a table that left gold leaves the pointer`() async throws {
    let test = try await lakeWithGold()
    _ = try await publish(test, keeping: true)
    try await execute(test, "DROP TABLE retail.gold.stores")
    #expect(try await publish(test, keeping: true).tables.keys.sorted() == ["daily"])
  }

  @Test func `a file stays for ten minutes after it was replaced, however old it is`() async throws
  {
    let test = try await lakeWithGold()
    func file(_ snapshot: GoldSnapshot) throws -> ObjectKey {
      ObjectKey(trusted: try #require(snapshot.tables["stores"]?.files.first))
    }
    func age(_ key: ObjectKey) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -700)],
        ofItemAtPath: "\(test.store.root)/\(key)")
    }
    func change() async throws -> ObjectKey {
      try await execute(test, "INSERT INTO retail.gold.stores VALUES ('c')")
      return try file(try await publish(test, keeping: true))
    }
    let first = try file(try await publish(test, keeping: true))
    try age(first)
    let second = try await change()
    _ = try await change()
    #expect(try await test.store.info(first) != nil)
    try age(second)
    _ = try await change()
    #expect(try await test.store.info(first) == nil)
    #expect(try await test.store.info(second) != nil)
  }
}
