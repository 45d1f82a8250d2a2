import Foundation
import KeyPair
import Synchronization
import Testing

@Suite struct TokenTests {
  private static let now = Date(timeIntervalSince1970: 1_795_000_000)
  private let key: PrivateKey
  private let other: PrivateKey
  private let verifier = TokenVerifier(account: "myorg-acct")

  init() throws {
    key = try Vectors.rfc7515.privateKey()
    other = try Vectors.rfc7520.privateKey()
  }

  private var fingerprint: String { key.publicKey.fingerprint }

  /// What a good token says, and what is changed of it.
  private func token(
    _ changes: [String: Any] = [:], header: String = #"{"alg":"RS256","typ":"JWT"}"#,
    key: PrivateKey? = nil
  ) throws -> String {
    let issued = Int(Self.now.timeIntervalSince1970)
    var claims: [String: Any] = [
      "iss": "MYORG-ACCT.LOADER.\(fingerprint)", "sub": "MYORG-ACCT.LOADER", "iat": issued,
      "exp": issued + 3540,
    ]
    claims.merge(changes) { $1 }
    return try JWS(
      header: Data(header.utf8), payload: try JSONSerialization.data(withJSONObject: claims),
      key: key ?? self.key
    ).text
  }

  private func refusal(_ token: String, at now: Date = now, keys: [PublicKey]? = nil)
    -> TokenRefusal.Code?
  {
    do {
      _ = try verifier.verify(token, now: now) { user in
        user == "LOADER" ? keys ?? [key.publicKey] : nil
      }
      return nil
    } catch {
      return error.code
    }
  }

  @Test func `a token that is issued is accepted, and says whose it is`() throws {
    let principal = Principal(account: "myorg-acct.eu-central-1", user: "loader")
    let issuer = TokenIssuer(principal: principal, key: key) { Self.now }
    let found = try verifier.verify(try issuer.token(), now: Self.now) { _ in [key.publicKey] }
    #expect(found == principal)
    #expect("\(found)" == "MYORG-ACCT.LOADER")
  }

  @Test func `both keys of a rotation are accepted, and no third`() throws {
    let keys = [other.publicKey, key.publicKey]
    #expect(refusal(try token(), keys: keys) == nil)
    let second = try token(
      ["iss": "MYORG-ACCT.LOADER.\(other.publicKey.fingerprint)"], key: other)
    #expect(refusal(second, keys: keys) == nil)
    #expect(refusal(second) == .fingerprint)
    #expect(refusal(second, keys: []) == .fingerprint)
  }

  @Test func `a wrong user, account, fingerprint or signature each has its code`() throws {
    #expect(
      refusal(
        try token(["sub": "MYORG-ACCT.EVE", "iss": "MYORG-ACCT.EVE.\(fingerprint)"]))
        == .unknownUser)
    #expect(
      refusal(try token(["sub": "OTHER.LOADER", "iss": "OTHER.LOADER.\(fingerprint)"]))
        == .account)
    #expect(refusal(try token(["iss": "MYORG-ACCT.LOADER.SHA256:AAAA"])) == .fingerprint)
    #expect(refusal(try token(key: other)) == .signature)
    var parts = try token().split(separator: ".").map(String.init)
    parts[2] = ""
    #expect(refusal(parts.joined(separator: ".")) == .signature)
  }

  @Test(arguments: [
    "none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", "RS256 ", "",
  ])
  func `the algorithm is RS256 and never what the token asks for`(_ name: String) throws {
    #expect(refusal(try token(header: #"{"alg":"\#(name)"}"#)) == .algorithm)
  }

  @Test(arguments: [#"{}"#, #"{"alg":null}"#, #"{"alg":["RS256"]}"#, #"{"typ":"JWT"}"#])
  func `a header without an algorithm is refused`(_ header: String) throws {
    #expect(refusal(try token(header: header)) == .algorithm)
  }

  @Test func `keys that a token brings along are not looked at`() throws {
    let header = """
      {"alg":"RS256","kid":"../../dev/null","jku":"https://example.com/","x5u":"https://example.com/",\
      "jwk":{"kty":"RSA","e":"AQAB","n":"\(Vectors.rfc7520.n)"}}
      """
    #expect(refusal(try token(header: header, key: other)) == .signature)
    #expect(refusal(try token(header: header)) == nil)
    #expect(refusal(try token(header: #"{"alg":"RS256","crit":["exp"]}"#)) == .invalid)
  }

  @Test func `times are required, and are numbers`() throws {
    for name in ["iat", "exp"] {
      for value: Any in ["1795000000", true, [1], NSNull()] as [Any] {
        #expect(refusal(try token([name: value as Any])) == .missingTime)
      }
    }
    // A claim that is not there at all.
    let bare = try JWS(
      header: Data(#"{"alg":"RS256"}"#.utf8),
      payload: Data(
        #"{"sub":"MYORG-ACCT.LOADER","iss":"MYORG-ACCT.LOADER.\#(fingerprint)"}"#.utf8),
      key: key)
    #expect(refusal(bare.text) == .missingTime)
  }

  @Test func `clocks may be a minute apart`() throws {
    let token = try token()
    for seconds: TimeInterval in [-60, 0, 3540, 3599] {
      #expect(refusal(token, at: Self.now + seconds) == nil)
    }
    #expect(refusal(token, at: Self.now - 61) == .issueTime)
    #expect(refusal(token, at: Self.now - 3600) == .issueTime)
    #expect(refusal(token, at: Self.now + 3540 + 60) == .expired)
    #expect(refusal(token, at: Self.now + 7200) == .expired)
  }

  @Test func `a lifetime over an hour is refused, one of an hour is not`() throws {
    let issued = Self.now.timeIntervalSince1970
    #expect(refusal(try token(["exp": issued + 3600])) == nil)
    #expect(refusal(try token(["exp": issued + 3601])) == .issueTime)
    #expect(refusal(try token(["iat": issued - 7200, "exp": issued + 60])) == .issueTime)
    for wild in [1e300, -1e300] {
      #expect(refusal(try token(["exp": wild])) != nil)
      #expect(refusal(try token(["iat": wild])) != nil)
    }
    #expect(refusal(try token(["nbf": issued + 3600])) == .invalid)
  }

  @Test func `what is no token, or says nothing of whom, is refused`() throws {
    for text in ["", "abc", "a.b.c", "e30.e30.e30", String(repeating: "a", count: 100_000)] {
      #expect(refusal(text) != nil)
    }
    #expect(refusal(try token(["sub": "LOADER"])) == .invalid)
    #expect(refusal(try token(["sub": "MYORG-ACCT."])) == .invalid)
    #expect(refusal(try token(["iss": "LOADER"])) == .invalid)
    #expect(refusal(try token(["iss": "MYORG-ACCT.ADMIN.\(fingerprint)"])) == .invalid)
    #expect(refusal(try token(["sub": "myorg-acct.loader"])) != nil)
    let array = try JWS(
      header: Data(#"{"alg":"RS256"}"#.utf8), payload: Data("[1]".utf8), key: key)
    #expect(refusal(array.text) == .invalid)
  }

  @Test func `a token is kept for 54 minutes, then made anew`() throws {
    let clock = Mutex(Self.now)
    let issuer = TokenIssuer(principal: Principal(account: "a", user: "b"), key: key) {
      clock.withLock { $0 }
    }
    func claims() throws -> [String: Any] {
      let jws = try #require(JWS(try issuer.token()))
      let object = try JSONSerialization.jsonObject(with: jws.payload)
      return try #require(object as? [String: Any])
    }
    let first = try issuer.token()
    let issued = try #require(try claims()["iat"] as? Int)
    #expect(try claims()["exp"] as? Int == issued + 59 * 60)
    #expect(try claims()["iss"] as? String == "A.B.\(fingerprint)")
    clock.withLock { $0 += 54 * 60 - 1 }
    #expect(try issuer.token() == first)
    clock.withLock { $0 += 1 }
    let second = try issuer.token()
    #expect(second != first)
    #expect(try claims()["iat"] as? Int == issued + 54 * 60)
    // A clock that was set back must not leave a token of the future.
    clock.withLock { $0 -= 3600 }
    #expect(try claims()["iat"] as? Int == issued - 6 * 60)
    let third = try issuer.token()
    clock.withLock { $0 += 1 }
    issuer.forget()
    #expect(try issuer.token() != third)
  }

  @Test(arguments: [
    ("myorg-account", "MYORG-ACCOUNT"), ("xy12345.eu-central-1", "XY12345"),
    ("xy12345.us-east-2.aws", "XY12345"), ("name-locator.global", "NAME"),
    ("my_org-acct.snowflakecomputing.com", "MY_ORG-ACCT"),
  ])
  func `an account is named as the vendor's clients name it`(_ text: String, _ name: String) {
    #expect(Principal(account: text, user: "u").account == name)
  }
}
