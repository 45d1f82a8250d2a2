import Foundation
import Lake
import ObjectStore
import TestSupport
import Testing

@Suite struct LakeTests {
  @Test func `a lake is made once and keeps its identity`() async throws {
    let directory = try TemporaryDirectory()
    let store = try DirectoryStore(root: directory.path)
    await #expect(throws: LakeError.self) { try await Lake.open(in: store, creating: false) }
    let made = try await Lake.open(in: store, creating: true)
    let again = try await Lake.open(in: store, creating: true)
    #expect(made.identity == again.identity)
  }

  @Test func `a lake of a later format is refused`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write(#"{"format": 2, "anything": []}"#, to: "commits/0.json")
    let store = try DirectoryStore(root: directory.path)
    do {
      _ = try await Lake.open(in: store, creating: true)
      Issue.record("a lake of a later format was opened")
    } catch let failure as LakeError {
      #expect(failure.code == .newerFormat)
      #expect(failure.message.contains("use a newer one"))
    }
  }

  @Test func `a number is taken once, and the loser is told`() async throws {
    let directory = try TemporaryDirectory()
    let lake = try await Lake.open(in: DirectoryStore(root: directory.path), creating: true)
    let mine = commit(1)
    #expect(try await lake.commits.append(mine))
    // The answer to the first try was lost: it is still mine.
    #expect(try await lake.commits.append(mine))
    #expect(try await !lake.commits.append(commit(1)))
    #expect(try await lake.commits.read(1) == mine)
    #expect(try await lake.commits.read(2) == nil)
  }

  @Test func `a checkpoint stands for its commits`() async throws {
    let directory = try TemporaryDirectory()
    let lake = try await Lake.open(in: DirectoryStore(root: directory.path), creating: true)
    var commits: [Commit] = []
    for number in 1...(LakeLayout.checkpointLength + 2) {
      commits.append(commit(number))
      #expect(try await lake.commits.append(commits[number - 1]))
    }
    try await lake.commits.checkpoint(at: LakeLayout.checkpointLength)
    // Were the single commits read, this would end at the first.
    try FileManager.default.removeItem(atPath: directory.file("commits/1.json"))
    let first = try await lake.commits.read(after: 0)
    #expect(first == Array(commits.prefix(LakeLayout.checkpointLength)))
    let rest = try await lake.commits.read(after: LakeLayout.checkpointLength)
    #expect(rest == Array(commits.suffix(2)))
  }

  @Test func `a damaged commit is named`() async throws {
    let directory = try TemporaryDirectory()
    let lake = try await Lake.open(in: DirectoryStore(root: directory.path), creating: true)
    try directory.write("{", to: "commits/1.json")
    do {
      _ = try await lake.commits.read(after: 0)
      Issue.record("a damaged commit was read")
    } catch let failure as LakeError {
      #expect(failure.code == .corruptCommit)
      #expect(failure.message.contains("commits/1.json"))
    }
  }

  @Test(arguments: [
    ("raw/yyyy=2026/mm=11/dd=23/HH=17/x.json", "2026-11-23"),
    ("raw/x.json", "2001-09-09"),
    ("raw/yyyy=2026/mm=11/x.json", "2001-09-09"),
    ("raw/yyyy=20x6/mm=11/dd=23/HH=17/x.json", "2001-09-09"),
  ])
  func `an object's day is that of its key, or of its last change`(key: String, day: String) {
    let object = ObjectInfo(
      key: ObjectKey(trusted: key), sizeBytes: 1, modifiedNanos: 1_000_000_000 * 1_000_000_000)
    #expect(LakeLayout.arrivalDay(of: object) == day)
  }

  @Test func `raw objects are told by their ending`() {
    for (name, isRaw) in [
      ("raw/x.json", true), ("raw/x.json.gz", true), ("raw/a b/é.json", true),
      ("raw/x.JSON", false), ("raw/x.csv", false), ("raw/x.json.tmp", false),
    ] {
      #expect(LakeLayout.isRawObject(ObjectKey(trusted: name)) == isRaw)
    }
  }

  @Test func `the names of batches sort by time`() {
    let early = BatchID(at: Date(timeIntervalSince1970: 1_795_000_000.125), random: 0xFFFF_FFFF)
    let late = BatchID(at: Date(timeIntervalSince1970: 1_795_000_000.250), random: 1)
    #expect(early.text == "20261118T110640125Z-ffffffff")
    #expect(late.text == "20261118T110640250Z-00000001")
  }
}

func commit(
  _ number: Int, sources: [Commit.Source] = [], counts: Commit.Counts = .init(),
  bronze: [Commit.File] = []
) -> Commit {
  Commit(
    number: number, kind: .bronze, batch: BatchID(), committedAt: "2026-11-23T00:00:00.000Z",
    contract: "c", sources: sources, counts: counts, bronze: bronze, quarantine: [])
}
