import Crypto
public import CryptoExtras
import Foundation

/// An RSA private key of 2048 bits or more. Its description tells nothing of it.
public struct PrivateKey: Sendable, CustomStringConvertible {
  private let key: _RSA.Signing.PrivateKey

  public init(_ key: _RSA.Signing.PrivateKey) { self.key = key }

  /// Makes a key of 2048 bits.
  public static func generate() throws -> PrivateKey {
    PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
  }

  /// Reads a key in PEM, as PKCS#8 or PKCS#1.
  ///
  /// - Parameter passphrase: asked for only if the key is encrypted; nil where there is none.
  public init(pem: String, passphrase: () throws -> String?) throws {
    guard pem.contains("PRIVATE KEY-----") else {
      if pem.contains("PUBLIC KEY-----") {
        throw KeyError(.publicForPrivate, "it is a public key: give the private one (rsa_key.p8)")
      }
      throw KeyError(.noKey, Self.noKey)
    }
    let key: _RSA.Signing.PrivateKey
    if Self.isEncrypted(pem) {
      guard let words = try passphrase() else {
        throw KeyError(.passphraseMissing, "it is encrypted, and there is no passphrase")
      }
      // swift-crypto 4.5.2 traps on any other byte, where a C char has a sign.
      guard words.utf8.allSatisfy({ $0 < 0x80 }) else {
        throw KeyError(
          .unusablePassphrase,
          "its passphrase has letters beyond ASCII, which cannot be used here: give it another ('openssl pkcs8 -topk8 -v2 aes-256-cbc')"
        )
      }
      do {
        key = try _RSA.Signing.PrivateKey(encryptedPEMRepresentation: pem) { setter in
          setter(Array(words.utf8))
        }
      } catch {
        throw KeyError(
          .wrongPassphrase, "the passphrase does not open it: it is wrong, or the file is damaged")
      }
    } else {
      guard let plain = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) else {
        throw KeyError(.noKey, Self.noKey)
      }
      key = plain
    }
    guard key.keySizeInBits >= 2048 else {
      throw KeyError(.tooShort, "it has \(key.keySizeInBits) bits: make one of 2048 or more")
    }
    self.key = key
  }

  public var publicKey: PublicKey { PublicKey(key.publicKey) }

  /// PKCS#8, not encrypted.
  public var pkcs8PEM: String { key.pkcs8PEMRepresentation }

  public var description: String { "private key of \(publicKey.fingerprint)" }

  /// The signature by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).
  func signature(for data: Data) throws -> Data {
    try key.signature(for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5).rawRepresentation
  }

  // MARK: -

  private static let noKey =
    "it is no RSA private key in PEM: 'medallion pipe keys' or 'openssl genpkey' makes one"

  private static func isEncrypted(_ pem: String) -> Bool {
    pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED")
  }
}
