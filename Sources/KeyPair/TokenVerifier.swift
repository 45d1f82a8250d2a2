public import Foundation

/// Why a token is refused: the vendor's code, and a sentence for the server's log.
public struct TokenRefusal: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    case invalid = "390144"
    case unknownUser = "394300"
    case missingTime = "394301"
    case issueTime = "394302"
    case expired = "394303"
    case fingerprint = "394304"
    case algorithm = "394305"
    case signature = "394306"
    case account = "394307"
  }

  public let code: Code
  public let reason: String

  init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { reason }
}

/// Checks key-pair tokens for one account.
///
/// The algorithm is RS256, whatever the token asks for; keys are those that the account knows,
/// whatever the token brings along.
public struct TokenVerifier: Sendable {
  /// How far two clocks may be apart.
  public static let skew: TimeInterval = 60
  /// The longest time from issue to expiry.
  public static let longestLifetime: TimeInterval = 3600
  /// The longest token that is looked at, in bytes.
  package static let longestToken = 8192

  public let account: String

  public init(account: String) { self.account = Principal.accountName(account) }

  /// Returns whose token it is.
  ///
  /// - Parameter keys: the public keys of a user, at most two; nil if there is no such user.
  public func verify(
    _ token: String, now: Date, keys: (String) -> [PublicKey]?
  ) throws(TokenRefusal) -> Principal {
    guard token.utf8.count <= Self.longestToken, let jws = JWS(token),
      let header = try? JSONDecoder().decode(Header.self, from: jws.header)
    else { throw TokenRefusal(.invalid, "it is no token") }
    guard header.alg == "RS256" else {
      throw TokenRefusal(.algorithm, "its algorithm is not RS256")
    }
    guard !header.hasCritical else {
      throw TokenRefusal(.invalid, "its header has extensions that must be understood")
    }
    guard let claims = try? JSONDecoder().decode(Claims.self, from: jws.payload) else {
      throw TokenRefusal(.invalid, "its claims are no object")
    }
    guard let issued = claims.iat, let expires = claims.exp else {
      throw TokenRefusal(.missingTime, "iat or exp is missing or no number")
    }
    guard let principal = claims.sub.flatMap(Principal.init(subject:)), let issuer = claims.iss,
      issuer.hasPrefix("\(principal).SHA256:")
    else { throw TokenRefusal(.invalid, "sub is not ACCOUNT.USER, or iss does not begin with it") }
    guard principal.account == account else {
      throw TokenRefusal(.account, "it is for another account")
    }
    guard let known = keys(principal.user) else {
      throw TokenRefusal(.unknownUser, "there is no such user")
    }
    guard let key = known.first(where: { issuer == "\(principal).\($0.fingerprint)" }) else {
      throw TokenRefusal(.fingerprint, "the fingerprint in iss is of none of the user's keys")
    }
    guard key.isValid(jws.signature, for: jws.signingInput) else {
      throw TokenRefusal(.signature, "the signature is not by the key that iss names")
    }
    try check(issued: issued, expires: expires, notBefore: claims.nbf, now: now)
    return principal
  }

  // MARK: -

  private struct Header: Decodable {
    let alg: String?
    let hasCritical: Bool

    enum CodingKeys: String, CodingKey { case alg, crit }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      alg = try? container.decode(String.self, forKey: .alg)
      hasCritical = container.contains(.crit)
    }
  }

  private struct Claims: Decodable {
    let iss: String?
    let sub: String?
    let iat: Double?
    let exp: Double?
    let nbf: Double?

    enum CodingKeys: String, CodingKey { case iss, sub, iat, exp, nbf }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      iss = try? container.decode(String.self, forKey: .iss)
      sub = try? container.decode(String.self, forKey: .sub)
      func number(_ key: CodingKeys) -> Double? {
        (try? container.decode(Double.self, forKey: key)).flatMap { $0.isFinite ? $0 : nil }
      }
      iat = number(.iat)
      exp = number(.exp)
      nbf = number(.nbf)
    }
  }

  private func check(
    issued: Double, expires: Double, notBefore: Double?, now: Date
  ) throws(TokenRefusal) {
    let now = now.timeIntervalSince1970
    guard issued <= now + Self.skew else {
      throw TokenRefusal(
        .issueTime, "it was issued \((issued - now).rounded()) s ahead of this clock")
    }
    guard expires > now - Self.skew else {
      throw TokenRefusal(.expired, "it expired \((now - expires).rounded()) s ago")
    }
    guard expires - issued <= Self.longestLifetime else {
      throw TokenRefusal(.issueTime, "it is meant to live for more than an hour")
    }
    guard notBefore.map({ $0 <= now + Self.skew }) ?? true else {
      throw TokenRefusal(.invalid, "it is not valid yet")
    }
  }
}
