import Crypto
public import CryptoExtras
public import Foundation

/// An RSA public key of 2048 bits or more.
public struct PublicKey: Sendable {
  let key: _RSA.Signing.PublicKey

  public init(_ key: _RSA.Signing.PublicKey) { self.key = key }

  /// Reads a key as `openssl rsa -pubout` writes it, or its Base64 alone, as
  /// `ALTER USER … SET RSA_PUBLIC_KEY` takes it.
  public init(_ text: String) throws(KeyError) {
    if text.contains("PRIVATE KEY-----") {
      throw KeyError(.privateForPublic, "it is a private key: give the public one (rsa_key.pub)")
    }
    let body = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.joined()
      .filter { !$0.isWhitespace }
    guard let der = Data(base64Encoded: body), !der.isEmpty,
      let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: der)
    else {
      throw KeyError(.noKey, "it is no RSA public key: 'openssl rsa -pubout' writes one")
    }
    guard key.keySizeInBits >= 2048 else {
      throw KeyError(.tooShort, "it has \(key.keySizeInBits) bits: make one of 2048 or more")
    }
    self.key = key
  }

  /// The DER form of its SubjectPublicKeyInfo (RFC 5280, 4.1).
  public var der: Data { key.derRepresentation }

  public var pem: String { key.pemRepresentation }

  /// The DER form in Base64, on one line.
  public var base64: String { der.base64EncodedString() }

  /// `SHA256:` and the Base64 of the SHA-256 of the DER form, as `DESCRIBE USER` shows it.
  public var fingerprint: String {
    "SHA256:" + Data(SHA256.hash(data: der)).base64EncodedString()
  }

  /// Whether `signature` is one of `data` by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).
  package func isValid(_ signature: Data, for data: Data) -> Bool {
    key.isValidSignature(
      _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: data),
      padding: .insecurePKCS1v1_5)
  }
}
