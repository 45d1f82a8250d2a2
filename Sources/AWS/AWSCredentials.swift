public import Foundation

/// The keys that requests are signed with.
public struct AWSCredentials: Sendable, Equatable, CustomStringConvertible {
  public let accessKeyID: String
  package let secretAccessKey: String
  let sessionToken: String?
  /// When they stop to be good; nil for keys that stay.
  public let expiration: Date?

  public init(
    accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil,
    expiration: Date? = nil
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
    self.expiration = expiration
  }

  /// Without secrets.
  public var description: String { "the access key \(accessKeyID)" }
}

extension AWSCredentials: CustomDebugStringConvertible, CustomReflectable {
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Somewhere credentials may come from.
package protocol CredentialSource: Sendable {
  /// The credentials; nil where this source has none, and the next one is asked.
  func credentials() async throws -> AWSCredentials?
}

/// Credentials, fetched once and again before they expire.
public actor CredentialProvider {
  /// How long before they expire credentials are fetched anew.
  private static let margin: TimeInterval = 300

  private let sources: [any CredentialSource]
  private let now: @Sendable () -> Date
  private var current: AWSCredentials?
  private var fetching: Task<AWSCredentials, any Error>?

  package init(_ sources: [any CredentialSource], now: @escaping @Sendable () -> Date = { Date() })
  {
    self.sources = sources
    self.now = now
  }

  /// Always the same credentials.
  public init(fixed: AWSCredentials) {
    self.init([FixedCredentials(credentials: fixed)])
  }

  /// Throws `AWSError.credentials` where no source has any.
  public func credentials() async throws -> AWSCredentials {
    if let current, isFresh(current) { return current }
    do {
      return try await fetch()
    } catch {
      // Good for another moment: an outage of their source is no reason to stop.
      if let current, current.expiration.map({ $0 > now() }) ?? true { return current }
      throw error
    }
  }

  /// Forgets credentials that the service no longer takes, so that the next request has new ones.
  public func reject(_ credentials: AWSCredentials) {
    if current == credentials { current = nil }
  }

  private func isFresh(_ credentials: AWSCredentials) -> Bool {
    credentials.expiration.map { $0.timeIntervalSince(now()) > Self.margin } ?? true
  }

  /// Of many that ask at once, one fetches.
  private func fetch() async throws -> AWSCredentials {
    if let fetching { return try await fetching.value }
    // Not a child: whoever waits may be cancelled while others still wait for the same keys.
    let task = Task { [sources] in
      for source in sources {
        if let found = try await source.credentials() { return found }
      }
      throw AWSError(
        .credentials,
        "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile with 'aws configure', or run where a role gives them"
      )
    }
    fetching = task
    defer { fetching = nil }
    let found = try await task.value
    current = found
    return found
  }
}

struct FixedCredentials: CredentialSource {
  let credentials: AWSCredentials
  func credentials() async throws -> AWSCredentials? { credentials }
}
