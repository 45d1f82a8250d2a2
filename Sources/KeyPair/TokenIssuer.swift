public import Foundation
import Synchronization

/// Makes the tokens by which a user proves to have a private key, and renews them in time.
public final class TokenIssuer: Sendable {
  /// How long a token is valid: a little less than the hour that is allowed.
  public static let lifetime: TimeInterval = 59 * 60
  /// The age at which the next one is made.
  public static let renewalAge: TimeInterval = 54 * 60

  public let principal: Principal
  private let key: PrivateKey
  private let now: @Sendable () -> Date
  private let current = Mutex<(token: String, issued: Date)?>(nil)

  public init(
    principal: Principal, key: PrivateKey, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.principal = principal
    self.key = key
    self.now = now
  }

  /// A token that is valid for some minutes at least.
  public func token() throws -> String {
    let now = now()
    return try current.withLock { current in
      if let (token, issued) = current {
        let age = now.timeIntervalSince(issued)
        // A clock that was set back makes a new one, too.
        if age >= 0, age < Self.renewalAge { return token }
      }
      let token = try make(at: now)
      current = (token, now)
      return token
    }
  }

  /// Has the next call make a new token.
  public func forget() { current.withLock { $0 = nil } }

  // MARK: -

  private struct Claims: Encodable {
    let iss: String
    let sub: String
    let iat: Int
    let exp: Int
  }

  private func make(at now: Date) throws -> String {
    let issued = Int(now.timeIntervalSince1970)
    let claims = Claims(
      iss: "\(principal).\(key.publicKey.fingerprint)", sub: principal.description, iat: issued,
      exp: issued + Int(Self.lifetime))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try JWS(
      header: Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8), payload: try encoder.encode(claims),
      key: key
    ).text
  }
}
