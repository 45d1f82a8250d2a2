import AWS
import Foundation
import ObjectStore
import TestSupport
import Testing

/// The store against real servers, which scripts/test starts: `MEDALLION_TEST_S3` names them, as
/// `name=http://127.0.0.1:port/bucket` divided by blanks; the keys come from the environment.
struct S3StoreTests {
  struct Server: CustomTestStringConvertible, Sendable {
    let name: String
    let endpoint: String
    let bucket: String
    var testDescription: String { name }

    func store(
      _ prefix: String, scratch: String, _ changes: [String: String] = [:]
    ) throws -> S3Store {
      var environment = ProcessInfo.processInfo.environment
      environment["AWS_ENDPOINT_URL_S3"] = endpoint
      environment.merge(changes) { $1 }
      return try S3Store(
        S3Location("s3://\(bucket)/\(prefix)-\(UUID().uuidString.lowercased())"),
        environment: AWSEnvironment(environment: environment), scratch: scratch)
    }
  }

  static let servers: [Server] = {
    let text = ProcessInfo.processInfo.environment["MEDALLION_TEST_S3"] ?? ""
    return text.split(separator: " ").compactMap { item in
      guard let found = item.wholeMatch(of: /(.+?)=(https?:\/\/[^\/]+)\/(.+)/) else { return nil }
      return Server(
        name: String(found.1), endpoint: String(found.2), bucket: String(found.3))
    }
  }()

  static let why: Comment = "MEDALLION_TEST_S3 names no server: scripts/test starts them"

  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers)
  func `the store conforms on a real server`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    try await StoreConformance(
      store: server.store("conformance", scratch: directory.path),
      listsInByteOrder: server.name != "seaweedfs"
    ).run()
  }

  /// SeaweedFS alone, which has buckets below `s3.localhost`.
  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers.filter { $0.name == "seaweedfs" })
  func `the store conforms with the bucket in the host's name`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    let config = directory.file("config")
    try Data("[default]\ns3 =\n  addressing_style = virtual\n".utf8).write(
      to: URL(fileURLWithPath: config))
    let store = try server.store(
      "virtual", scratch: directory.path,
      [
        "AWS_ENDPOINT_URL_S3": server.endpoint.replacing("127.0.0.1", with: "s3.localhost"),
        "AWS_CONFIG_FILE": config,
      ])
    try await StoreConformance(store: store, listsInByteOrder: false).run()
  }

  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers)
  func `large objects move in parts`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    let store = try server.store("parts", scratch: directory.path)
    let work = ObjectKey(trusted: "tmp/b/large.bin")
    let key = ObjectKey(trusted: "bronze/large.bin")
    // Two parts and a piece, no two alike.
    let count = 2 * S3Store.partBytes + 12_345
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<count / 8 + 1).flatMap { _ in
      withUnsafeBytes(of: random.next() as UInt64) { Array($0) }
    }.prefix(count)
    let writer = try store.createWorkObject(work)
    for start in stride(from: 0, to: count, by: 1 << 20) {
      try Array(bytes[start..<min(start + 1 << 20, count)]).withUnsafeBytes { try writer.write($0) }
    }
    try await writer.finish()
    try await store.publish(work, as: key)
    #expect(try await store.info(key)?.sizeBytes == Int64(count))
    #expect(try await store.read(key) == Array(bytes))
    #expect(try await store.info(work) == nil)
  }

  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers)
  func `a listing goes page by page`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    let store = try server.store("pages", scratch: directory.path)
    // More than a page; with what a listing must encode.
    let names = (0..<1_100).map { "raw/é +&=%25 \($0 % 7)/\(10_000 + $0).json" }
    let keys = names.map { ObjectKey(trusted: $0) }
    for start in stride(from: 0, to: keys.count, by: 50) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for key in keys[start..<min(start + 50, keys.count)] {
          group.addTask { _ = try await store.put(Array("x\n".utf8), at: key) }
        }
        try await group.waitForAll()
      }
    }
    var listed: [ObjectKey] = []
    try await store.list("raw/") { object in
      listed.append(object.key)
      return true
    }
    #expect(listed.sorted() == keys.sorted())
    var few = 0
    try await store.list("raw/") { _ in
      few += 1
      return few < 3
    }
    #expect(few == 3)
    try await store.deleteAll("raw/")
    try await store.list("raw/") { _ in
      Issue.record("not everything was deleted")
      return false
    }
  }

  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers)
  func `libraries get files`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    let store = try server.store("files", scratch: directory.file("transfer"))
    let key = ObjectKey(trusted: "bronze/x.bin")
    _ = try await store.put(Array("content".utf8), at: key)
    var file: LocalFile? = try await store.localFile(key, .whole)
    let path = try #require(file?.path)
    #expect(FileManager.default.contents(atPath: path) == Data("content".utf8))
    file = nil
    #expect(!FileManager.default.fileExists(atPath: path))
    for part in [LocalFile.Part.whole, .parquetFooter] {
      await #expect(throws: ObjectStoreError.self) {
        try await store.localFile(ObjectKey(trusted: "bronze/none.bin"), part)
      }
    }
  }

  /// One that is asked for whole, one that the first request ends, and one that takes a second.
  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers, [1_000, 50_000, 150_000])
  func `libraries get the end of a Parquet file`(_ server: Server, footer: Int) async throws {
    let directory = try TemporaryDirectory()
    let store = try server.store("footers", scratch: directory.file("transfer"))
    let key = ObjectKey(trusted: "bronze/x.parquet")
    var content = Array("PAR1".utf8)
    content += (0..<max(footer, 2_000) * 4 / 3).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    withUnsafeBytes(of: UInt32(footer).littleEndian) { content += $0 }
    content += Array("PAR1".utf8)
    _ = try await store.put(content, at: key)
    let file = try await store.localFile(key, .parquetFooter)
    let found = try #require(FileManager.default.contents(atPath: file.path))
    #expect(found.count == content.count && found.prefix(4) == Data("PAR1".utf8))
    #expect(found.suffix(footer + 8) == Data(content.suffix(footer + 8)))
  }

  /// ministack asks nobody for keys unless it is told to, and Tests/infra does.
  @Test(.enabled(if: !servers.isEmpty, why), arguments: servers.filter { $0.name != "ministack" })
  func `what is wrong is said`(_ server: Server) async throws {
    let directory = try TemporaryDirectory()
    func failure(_ url: String, _ changes: [String: String]) async throws -> ObjectStoreError? {
      var environment = ProcessInfo.processInfo.environment
      environment["AWS_ENDPOINT_URL_S3"] = server.endpoint
      environment.merge(changes) { $1 }
      let store = try S3Store(
        S3Location(url), environment: AWSEnvironment(environment: environment),
        scratch: directory.path)
      return await #expect(throws: ObjectStoreError.self) {
        try await store.list("raw/") { _ in true }
      }
    }
    let bucket = try await failure("s3://no-such-bucket-here", [:])
    #expect(bucket?.message.contains("there is no bucket no-such-bucket-here") == true)
    let keys = try await failure(
      "s3://\(server.bucket)",
      ["AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "not-the-secret"])
    #expect(keys?.code == .misconfigured || keys?.code == .permission)
    #expect(keys?.message.contains("not-the-secret") == false)
  }
}
