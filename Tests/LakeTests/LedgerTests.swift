import Foundation
import GRDB
import Lake
import Ledger
import ObjectStore
import TestSupport
import Testing

@Suite struct LedgerTests {
  private func source(_ name: String, lines: Int = 3) -> Commit.Source {
    Commit.Source(
      key: ObjectKey(trusted: "raw/\(name).json"), size: 10, modified: 20, checksum: "xxh3:0",
      lines: lines)
  }

  private func file(_ name: String) -> Commit.File {
    Commit.File(
      key: ObjectKey(trusted: "bronze/dt=2026-11-20/\(name).parquet"), size: 5, rows: 2,
      sha256: "ab")
  }

  private func object(_ name: String, size: Int64 = 10, modified: Int64 = 20) -> ObjectInfo {
    ObjectInfo(
      key: ObjectKey(trusted: "raw/\(name).json"), sizeBytes: size, modifiedNanos: modified)
  }

  @Test func `a deleted ledger is the same again, read from the commits`() async throws {
    let test = try await TestLake()
    for number in 1...3 {
      let counts = Commit.Counts(
        lines: 3, accepted: 2, blank: 0, quarantined: ["malformed_json": 1], rescued: ["coupon": 1])
      _ = try await test.lake.commits.append(
        commit(
          number, sources: [source("\(number)")], counts: counts, bronze: [file("\(number)")]))
    }
    try await test.ledger.catchUp(with: test.lake)
    let before = try test.ledger.totals()
    #expect(before["raw.lines"] == 9)
    #expect(before["quarantined.malformed_json"] == 3)
    #expect(before["bronze.files"] == 3)

    let fresh = try Ledger(path: test.directory.file("new.sqlite"), lake: test.lake.identity)
    #expect(try await fresh.catchUp(with: test.lake) == 3)
    #expect(try fresh.totals() == before)
    #expect(try fresh.sort([object("1"), object("4")]).new == [object("4")])
    #expect(try await fresh.catchUp(with: test.lake) == 0)
  }

  @Test func `a gap in the commits is an alarm`() async throws {
    let test = try await TestLake()
    #expect(throws: LakeError.self) { try test.ledger.apply([commit(2)]) }
    #expect(try test.ledger.lastCommit() == 0)
  }

  @Test func `a commit that claims a consumed object again is not taken up`() async throws {
    let test = try await TestLake()
    try test.ledger.apply([commit(1, sources: [source("a")])])
    #expect(throws: LakeError.self) {
      try test.ledger.apply([commit(2, sources: [source("b"), source("a")])])
    }
    #expect(try test.ledger.lastCommit() == 1)
    #expect(try test.ledger.sort([object("b")]).new == [object("b")])
  }

  @Test func `an object that changed after it was consumed is an alarm, once`() async throws {
    let test = try await TestLake()
    try test.ledger.apply([commit(1, sources: [source("a")])])
    let touched = object("a", modified: 21)
    let sorted = try test.ledger.sort([touched])
    #expect(sorted.new.isEmpty)
    #expect(sorted.touched.map(\.object) == [touched])
    #expect(sorted.touched.map(\.checksum) == ["xxh3:0"])
    try test.ledger.recordChanged(touched)
    #expect(try test.ledger.troubles().changed.map(\.key) == ["raw/a.json"])
    // Judged once, it is not read again, until it changes once more or is restored.
    #expect(try test.ledger.sort([touched]).touched.isEmpty)
    #expect(try test.ledger.sort([object("a", modified: 22)]).touched.count == 1)
    #expect(try test.ledger.sort([object("a")]).restored == [object("a")])
    try test.ledger.recordUnchanged(object("a"))
    #expect(try test.ledger.troubles().changed.isEmpty)
  }

  @Test func `a parked object is left alone until it changes`() async throws {
    let test = try await TestLake()
    #expect(try test.ledger.recordTry(object("a").key, stage: "bronze", reason: "torn") == 1)
    #expect(try test.ledger.recordTry(object("a").key, stage: "bronze", reason: "torn") == 2)
    #expect(try test.ledger.tried(stage: "bronze") == [object("a").key])
    try test.ledger.park(object("a"), stage: "bronze", reason: "torn")
    #expect(try test.ledger.tried(stage: "bronze").isEmpty)
    #expect(try test.ledger.sort([object("a")]).new.isEmpty)
    #expect(try test.ledger.sort([object("a", size: 11)]).new.count == 1)
    // Consumed after all, it is no trouble any more.
    try test.ledger.apply([commit(1, sources: [source("a")])])
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test func `the queue is what is published and not loaded`() async throws {
    let test = try await TestLake()
    try test.ledger.apply([
      commit(1, bronze: [file("a"), file("b")]), commit(2, bronze: [file("c")]),
    ])
    #expect(try test.ledger.waitingFiles(limit: 10).isEmpty)
    try test.ledger.markPublished([1])
    #expect(try test.ledger.waitingFiles(limit: 10).map(\.file) == [file("a"), file("b")])
    try test.ledger.markPublished([2])
    try test.ledger.markLoaded([file("a").key.text])
    #expect(try test.ledger.waitingFiles(limit: 10).map(\.file) == [file("b"), file("c")])
    // The history is what counts: it knows c and has lost a.
    try test.ledger.setLoaded(exactly: [file("c").key.text], layer: .bronze)
    #expect(try test.ledger.waitingFiles(limit: 10).map(\.file) == [file("a"), file("b")])
    #expect(try test.ledger.waitingFileCount() == 2)
  }

  @Test func `a ledger of another lake is refused`() async throws {
    let one = try await TestLake()
    let other = try await TestLake()
    do {
      _ = try Ledger(path: one.ledger.path, lake: other.lake.identity)
      Issue.record("a foreign ledger was opened")
    } catch let failure as LakeError {
      #expect(failure.code == .foreignState)
    }
  }

  @Test func `a file that is no ledger is named, with the mend`() async throws {
    let test = try await TestLake()
    try test.directory.write(String(repeating: "no database ", count: 100), to: "other.sqlite")
    do {
      _ = try Ledger(path: test.directory.file("other.sqlite"), lake: test.lake.identity)
      Issue.record("a text was opened as a ledger")
    } catch let failure as LedgerError {
      #expect(failure.code == .unreadable)
      #expect(failure.message.contains("move it aside"))
    }
  }

  @Test func `a ledger of an older build is carried forward`() async throws {
    let test = try await TestLake()
    let copy = test.directory.file("old.sqlite")
    let tables = try String(
      contentsOfFile: "\(TestLake.project)/Tests/LakeTests/Fixtures/ledger-1.sql", encoding: .utf8)
    try await DatabaseQueue(path: copy).writeWithoutTransaction { try $0.execute(sql: tables) }
    let identity = try JSONDecoder().decode(
      LakeIdentity.self,
      from: Data(
        #"{"format":1,"lake":"00000000-0000-0000-0000-000000000001","created_at":"","engine":""}"#
          .utf8))
    let ledger = try Ledger(path: copy, lake: identity)
    // What a later build indexes besides is read from the commits again.
    #expect(try ledger.lastCommit() == 0)
    try ledger.apply([commit(1, sources: [source("1")], counts: Commit.Counts(lines: 3))])
    #expect(try ledger.totals()["raw.lines"] == 3)
    #expect(try ledger.sort([object("1")]).new.isEmpty)
  }

  @Test func `a file lock has one holder`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("x.lock")
    var held = try FileLock.tryAcquire(path)
    #expect(held != nil)
    held?.note("4711")
    #expect(try FileLock.tryAcquire(path) == nil)
    #expect(FileLock.note(at: path) == "4711")
    held = nil
    #expect(try FileLock.tryAcquire(path) != nil)
  }

  @Test func `work that was begun and not committed is remembered`() async throws {
    let test = try await TestLake()
    let batch = BatchID()
    try test.ledger.beginWork(batch)
    #expect(try test.ledger.abandonedWork() == [batch.text])
    try test.ledger.endWork(batch.text)
    #expect(try test.ledger.abandonedWork().isEmpty)
  }
}
