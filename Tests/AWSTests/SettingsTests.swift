import AWS
import Foundation
import ObjectStore
import TestSupport
import Testing

struct SettingsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func environment(
    config: String = "", credentials: String = "", _ more: [String: String] = [:]
  ) throws -> [String: String] {
    try Data(config.utf8).write(to: URL(fileURLWithPath: directory.file("config")))
    try Data(credentials.utf8).write(to: URL(fileURLWithPath: directory.file("credentials")))
    return [
      "AWS_CONFIG_FILE": directory.file("config"),
      "AWS_SHARED_CREDENTIALS_FILE": directory.file("credentials"),
      "AWS_EC2_METADATA_DISABLED": "true",
    ].merging(more) { $1 }
  }

  @Test func `the environment goes first`() async throws {
    let settings = try AWSEnvironment(
      environment: environment(
        credentials: "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n",
        [
          "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
          "AWS_REGION": "eu-west-1",
        ]))
    let keys = try await settings.credentials.credentials()
    #expect(keys == AWSCredentials(accessKeyID: "ENV", secretAccessKey: "s", sessionToken: "t"))
    #expect(settings.region == "eu-west-1")
  }

  @Test func `profiles are read from both files`() async throws {
    let settings = try AWSEnvironment(
      environment: environment(
        config: """
          # a comment
          [default]
          region = us-west-2
          [profile work]
          region=eu-central-1   # behind a blank
          s3 =
            addressing_style = virtual
            max_concurrent_requests = 20
          services = local
          [services local]
          s3 =
            endpoint_url = http://127.0.0.1:9000
          """,
        credentials: "[work]\naws_access_key_id=WORK\naws_secret_access_key=a=b\n",
        ["AWS_PROFILE": "work"]))
    #expect(try await settings.credentials.credentials().accessKeyID == "WORK")
    #expect(try await settings.credentials.credentials().secretAccessKey == "a=b")
    #expect(settings.region == "eu-central-1")
    #expect(settings.addressing == "virtual")
    #expect(try settings.customEndpoint("s3")?.text == "http://127.0.0.1:9000")
    #expect(try settings.customEndpoint("sqs") == nil)
  }

  @Test func `an endpoint for one service goes before one for all`() throws {
    let both = [
      "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "https://s3.test:9443/base/",
    ]
    let settings = try AWSEnvironment(environment: environment(both))
    #expect(try settings.customEndpoint("s3")?.text == "https://s3.test:9443/base")
    #expect(try settings.customEndpoint("sqs")?.text == "http://127.0.0.1:1")
  }

  @Test func `a credential process is run`() async throws {
    let program = directory.file("keys.sh")
    try Data(
      "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'"
        .utf8
    ).write(to: URL(fileURLWithPath: program))
    let settings = try AWSEnvironment(
      environment: environment(config: "[default]\ncredential_process = sh \(program)\n"))
    let keys = try await settings.credentials.credentials()
    #expect(keys.accessKeyID == "PROC" && keys.expiration != nil)
  }

  @Test(arguments: [
    ([:], "there are no AWS credentials"),
    (["AWS_ACCESS_KEY_ID": "x"], "AWS_SECRET_ACCESS_KEY is not set"),
    (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/x"], "must be https"),
    (
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": "arn:x"],
      "/nowhere/token cannot be read"
    ),
  ])
  func `what is missing is named`(_ more: [String: String], sentence: String) async throws {
    let settings = try AWSEnvironment(environment: environment(more))
    let failure = await #expect(throws: AWSError.self) {
      try await settings.credentials.credentials()
    }
    #expect(failure?.message.contains(sentence) == true)
    #expect(failure?.isOutage == false)
  }

  @Test func `a profile that is not there is refused`() throws {
    #expect(throws: AWSError.self) {
      try AWSEnvironment(environment: environment(["AWS_PROFILE": "nobody"]))
    }
  }

  @Test func `a role that is taken from itself is refused`() async throws {
    let settings = try AWSEnvironment(
      environment: environment(
        config: """
          [profile a]
          role_arn = arn:aws:iam::123456789012:role/a
          source_profile = b
          [profile b]
          role_arn = arn:aws:iam::123456789012:role/b
          source_profile = a
          """, ["AWS_PROFILE": "a"]))
    await #expect(throws: AWSError.self) { try await settings.credentials.credentials() }
  }

  @Test func `credentials are fetched anew before they expire`() async throws {
    final class Source: CredentialSource {
      let clock: Clock
      init(clock: Clock) { self.clock = clock }
      func credentials() async throws -> AWSCredentials? {
        let number = clock.fetched()
        return AWSCredentials(
          accessKeyID: "K\(number)", secretAccessKey: "s",
          expiration: clock.now.addingTimeInterval(900))
      }
    }
    let clock = Clock()
    let provider = CredentialProvider([Source(clock: clock)]) { clock.now }
    let first = try await provider.credentials()
    #expect(try await provider.credentials() == first)
    clock.advance(by: 590)
    #expect(try await provider.credentials() == first)
    clock.advance(by: 20)
    let second = try await provider.credentials()
    #expect(second.accessKeyID == "K2")
    await provider.reject(second)
    #expect(try await provider.credentials().accessKeyID == "K3")
  }

  @Test func `of many that ask together one fetches`() async throws {
    final class Slow: CredentialSource {
      let clock: Clock
      init(clock: Clock) { self.clock = clock }
      func credentials() async throws -> AWSCredentials? {
        let number = clock.fetched()
        await Task.yield()
        return AWSCredentials(accessKeyID: "K\(number)", secretAccessKey: "s")
      }
    }
    let provider = CredentialProvider([Slow(clock: Clock())])
    let ids = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 { group.addTask { try await provider.credentials().accessKeyID } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(ids == ["K1"])
  }

  @Test(arguments: [
    ("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""),
    ("s3://my.bucket-1/a/b/", "my.bucket-1", "a/b/"), ("s3://bucket/lake", "bucket", "lake/"),
  ])
  func `a place in S3 is read`(_ url: String, bucket: String, prefix: String) throws {
    let place = try S3Location(url)
    #expect(place.bucket == bucket && place.prefix == prefix)
  }

  @Test(arguments: [
    "s3:/bucket", "s3://", "s3://ab", "s3:///key", "s3://-bucket", "s3://bu cket", "s3://bucket//a",
    "s3://bucket/../a", "s3://bucket/a?b", "http://bucket/a",
  ])
  func `what is no place in S3 is refused`(_ url: String) {
    #expect(throws: ObjectStoreError.self) { try S3Location(url) }
  }
}

/// A clock that tests move, and a count.
final class Clock: @unchecked Sendable {
  private let lock = NSLock()
  private var time = Date(timeIntervalSince1970: 1_700_000_000)
  private var count = 0

  var now: Date { lock.withLock { time } }
  func advance(by seconds: TimeInterval) { lock.withLock { time += seconds } }
  func fetched() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
