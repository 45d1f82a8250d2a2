import ObjectStore
import Testing

/// What every store must do, whatever it is made of. Each backend's tests run it.
struct StoreConformance {
  let store: any ObjectStore
  /// False for a server that lists folder by folder, which S3 does not.
  var listsInByteOrder = true

  func run() async throws {
    try await putsOnlyWhatIsAbsent()
    try await onePutOfManyWins()
    try await replacesWholly()
    try await publishesOnceAndAgain()
    try await listsEverything()
    try await forgetsWhatIsDeleted()
    try await refusesToReadWhatIsNotThere()
  }

  private func putsOnlyWhatIsAbsent() async throws {
    let key = try #require(ObjectKey("conformance/put.json"))
    #expect(try await store.put(Array("first".utf8), at: key) == .created)
    #expect(try await store.put(Array("second".utf8), at: key) == .exists)
    #expect(try await store.read(key) == Array("first".utf8))
    #expect(try await store.info(key)?.sizeBytes == 5)
  }

  private func onePutOfManyWins() async throws {
    let store = store
    let key = try #require(ObjectKey("conformance/race.json"))
    let winners = try await withThrowingTaskGroup(of: PutOutcome.self) { group in
      for number in 0..<32 {
        group.addTask { try await store.put(Array("racer \(number)".utf8), at: key) }
      }
      return try await group.reduce(into: 0) { $0 += $1 == .created ? 1 : 0 }
    }
    #expect(winners == 1)
  }

  private func replacesWholly() async throws {
    let key = try #require(ObjectKey("conformance/pointer.json"))
    try await store.replace(Array("a longer first text".utf8), at: key)
    try await store.replace(Array("short".utf8), at: key)
    #expect(try await store.read(key) == Array("short".utf8))
  }

  private func publishesOnceAndAgain() async throws {
    let work = try #require(ObjectKey("tmp/batch/conformance/made.parquet"))
    let key = try #require(ObjectKey("conformance/made.parquet"))
    let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let writer = try store.createWorkObject(work)
    for start in stride(from: 0, to: bytes.count, by: 99_991) {
      try bytes[start..<min(start + 99_991, bytes.count)].withUnsafeBytes { try writer.write($0) }
    }
    #expect(try await store.info(key) == nil)
    try await writer.finish()
    try await store.publish(work, as: key)
    #expect(try await store.read(key) == bytes)
    #expect(try await store.info(work) == nil)
    // Cut short after the publication, it is done again: the work is gone, the object is there.
    try await store.publish(work, as: key)
    #expect(try await store.read(key) == bytes)
    let missing = try #require(ObjectKey("conformance/never.parquet"))
    await #expect(throws: ObjectStoreError.self) { try await store.publish(work, as: missing) }
  }

  private static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  private func listsEverything() async throws {
    // A directory sorts as its keys do, with the slash: "a-" < "a.json" < "a/".
    let names = ["a/b.json", "a-/c.json", "a.json", "a/a/x.json", "Z.json", "é.json"]
    for name in names {
      let key = try #require(ObjectKey("listing/\(name)"))
      _ = try await store.put(Array(name.utf8), at: key)
    }
    var listed: [String] = []
    try await store.list("listing/") { object in
      listed.append(object.key.text)
      return true
    }
    let expected = names.map { "listing/\($0)" }.sorted(by: Self.precedes)
    #expect((listsInByteOrder ? listed : listed.sorted(by: Self.precedes)) == expected)

    var first: [String] = []
    try await store.list("listing/") { object in
      first.append(object.key.text)
      return first.count < 2
    }
    #expect(first == Array(listed.prefix(2)))

    var none = 0
    try await store.list("nothing/here/") { _ in
      none += 1
      return true
    }
    #expect(none == 0)
  }

  private func forgetsWhatIsDeleted() async throws {
    let key = try #require(ObjectKey("conformance/deleted/one.json"))
    _ = try await store.put([1], at: key)
    try await store.delete(key)
    try await store.delete(key)
    #expect(try await store.info(key) == nil)
    _ = try await store.put([1], at: key)
    try await store.deleteAll("conformance/deleted/")
    #expect(try await store.info(key) == nil)
    try await store.deleteAll("conformance/deleted/")
    // What was removed with its directory can come again.
    #expect(try await store.put([2], at: key) == .created)
  }

  private func refusesToReadWhatIsNotThere() async throws {
    let key = try #require(ObjectKey("conformance/none.json"))
    do {
      _ = try await store.read(key)
      Issue.record("an object that is not there was read")
    } catch let failure as ObjectStoreError {
      #expect(failure.code == .notFound)
      #expect(!failure.isOutage)
    }
  }
}
