import Foundation
import ObjectStore
import TestSupport
import Testing

@Suite struct DirectoryStoreTests {
  @Test func `a directory is a store`() async throws {
    let directory = try TemporaryDirectory()
    try await StoreConformance(store: DirectoryStore(root: directory.file("lake"))).run()
  }

  @Test func `a put leaves nothing in tmp`() async throws {
    let directory = try TemporaryDirectory()
    let store = try DirectoryStore(root: directory.path)
    let key = try #require(ObjectKey("raw/x.json"))
    _ = try await store.put([1, 2, 3], at: key)
    _ = try await store.put([4], at: key)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("tmp")).isEmpty)
  }

  @Test func `a file where a directory must be is named, with the mend`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("in the way", to: "raw")
    let store = try DirectoryStore(root: directory.path)
    let key = try #require(ObjectKey("raw/x.json"))
    do {
      _ = try await store.put([1], at: key)
      Issue.record("a put below a file succeeded")
    } catch let failure as ObjectStoreError {
      #expect(failure.code == .notADirectory)
      #expect(
        failure.message == "\(store.root)/raw is not a directory, and must be one; move it aside")
    }
  }

  @Test func `a file in place of the root is refused`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("no lake", to: "lake")
    #expect(throws: ObjectStoreError.self) { try DirectoryStore(root: directory.file("lake")) }
  }

  @Test func `a root below nothing is refused`() throws {
    let directory = try TemporaryDirectory()
    do {
      _ = try DirectoryStore(root: directory.file("not/there"))
      Issue.record("a root below nothing was made")
    } catch let failure as ObjectStoreError {
      #expect(failure.message.contains("the directory above it does not exist"))
    }
  }

  @Test func `links are not in the lake`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("secret", to: "outside.json")
    let store = try DirectoryStore(root: directory.file("lake"))
    let real = try #require(ObjectKey("raw/real.json"))
    _ = try await store.put([1], at: real)
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("lake/raw/link.json"),
      withDestinationPath: directory.file("outside.json"))
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("lake/raw/loop"), withDestinationPath: directory.file("lake/raw"))
    var listed: [ObjectKey] = []
    try await store.list("raw/") { object in
      listed.append(object.key)
      return true
    }
    #expect(listed == [real])
    let link = try #require(ObjectKey("raw/link.json"))
    #expect(try await store.info(link) == nil)
    await #expect(throws: ObjectStoreError.self) { _ = try await store.open(link) }
  }

  @Test func `removing work does not follow links`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("keep me", to: "outside/kept.json")
    try directory.write("work", to: "lake/tmp/batch/file")
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("lake/tmp/batch/link"),
      withDestinationPath: directory.file("outside"))
    try await DirectoryStore(root: directory.file("lake")).deleteAll("tmp/batch/")
    #expect(directory.exists("outside/kept.json"))
    #expect(!directory.exists("lake/tmp/batch"))
  }

  @Test func `a reader sees that its file changed`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("one", to: "raw/x.json")
    let store = try DirectoryStore(root: directory.path)
    let reader = try await store.open(try #require(ObjectKey("raw/x.json")))
    #expect(try await reader.isUnchanged())
    try directory.write("another", to: "raw/x.json")
    #expect(try await !reader.isUnchanged())
    try FileManager.default.removeItem(atPath: directory.file("raw/x.json"))
    #expect(try await !reader.isUnchanged())
  }

  @Test func `changes tell of puts at once`() async throws {
    let directory = try TemporaryDirectory()
    let store = try DirectoryStore(root: directory.path)
    let changes = store.changes("raw/")
    let key = try #require(ObjectKey("raw/yyyy=2026/mm=01/x.json"))
    _ = try await store.put([1], at: key)
    for await change in changes where change == .put(key) { return }
    Issue.record("the changes ended without the put")
  }

  #if os(Linux)
    @Test(.timeLimit(.minutes(5)))
    func `changes tell of files that others write, in new directories too`() async throws {
      let directory = try TemporaryDirectory()
      let store = try DirectoryStore(root: directory.path)
      // Neither raw nor anything below it is there when the watch begins.
      let changes = store.changes("raw/")
      var expected = Set<ObjectChange>()
      for name in ["raw/a.json", "raw/deep/er/b.json", "raw/deep/c.json.gz"] {
        expected.insert(.touched(try #require(ObjectKey(name))))
      }
      try directory.write("unrelated", to: "elsewhere/d.json")
      try directory.write("1", to: "raw/a.json")
      try directory.write("2", to: "raw/deep/er/b.json")
      try directory.write("3", to: "raw/deep/c.json.gz")
      for await change in changes {
        if case .touched(let key) = change {
          #expect(key.text.hasPrefix("raw/"))
          expected.remove(change)
        }
        if expected.isEmpty { break }
      }
      #expect(expected.isEmpty)
    }
  #endif

  @Test(arguments: [
    "", "/raw", "raw/", "raw//x", "raw/../x", "./raw", "raw/a\nb", "raw/a\u{7F}",
    String(repeating: "k", count: 1025),
  ])
  func `a text that cannot be a key is none`(text: String) {
    #expect(ObjectKey(text) == nil)
  }

  @Test func `keys that look alike but differ in bytes are two keys`() throws {
    let composed = try #require(ObjectKey("raw/\u{E9}.json"))
    let decomposed = try #require(ObjectKey("raw/e\u{301}.json"))
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
  }
}
