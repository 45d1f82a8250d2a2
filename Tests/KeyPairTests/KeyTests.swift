import Foundation
import KeyPair
import TestSupport
import Testing

@Suite(.enabled(if: OpenSSL.isThere, "openssl is not installed"))
struct KeyTests {
  /// A key that openssl made, for all tests.
  private static let made = Task {
    String(
      decoding: try await OpenSSL.run(
        "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
      as: UTF8.self)
  }

  private func pem() async throws -> String { try await Self.made.value }

  private func converted(_ arguments: String...) async throws -> String {
    String(
      decoding: try await OpenSSL.run(arguments, input: Data(try await pem().utf8)), as: UTF8.self)
  }

  private func noPassphrase() -> String? {
    Issue.record("a key that is not encrypted wants no passphrase")
    return nil
  }

  private func code(_ body: () throws -> Void) -> KeyError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? KeyError)?.code
    }
  }

  @Test func `the fingerprint is the one that openssl computes`() async throws {
    let key = try PrivateKey(pem: try await pem(), passphrase: noPassphrase)
    let der = try await OpenSSL.run(
      "pkey", "-pubout", "-outform", "DER", input: Data(try await pem().utf8))
    let digest = try await OpenSSL.run("dgst", "-sha256", "-binary", input: der)
    #expect(key.publicKey.fingerprint == "SHA256:" + digest.base64EncodedString())
    #expect(key.publicKey.der == der)
    #expect(key.publicKey.base64 == der.base64EncodedString())
  }

  @Test func `openssl accepts our signature, and we accept that of openssl`() async throws {
    let directory = try TemporaryDirectory()
    let key = try PrivateKey(pem: try await pem(), passphrase: noPassphrase)
    let jws = try JWS(header: Data("{}".utf8), payload: Data("purchase".utf8), key: key)
    try directory.write(try await pem(), to: "key.pem")
    try directory.write(key.publicKey.pem, to: "key.pub")
    try jws.signature.write(to: URL(filePath: directory.file("signature")))
    let answer = try await OpenSSL.run(
      "dgst", "-sha256", "-verify", directory.file("key.pub"), "-signature",
      directory.file("signature"), input: jws.signingInput)
    #expect(String(decoding: answer, as: UTF8.self).contains("Verified OK"))
    let theirs = try await OpenSSL.run(
      "dgst", "-sha256", "-sign", directory.file("key.pem"), input: Data("hello".utf8))
    #expect(key.publicKey.isValid(theirs, for: Data("hello".utf8)))
  }

  @Test(arguments: ["des3", "aes-128-cbc", "aes-256-cbc"])
  func `an encrypted key opens with its passphrase only`(_ cipher: String) async throws {
    let encrypted = try await converted(
      "pkcs8", "-topk8", "-v2", cipher, "-passout", "pass:open sesame")
    let plain = try PrivateKey(pem: try await pem(), passphrase: noPassphrase)
    let opened = try PrivateKey(pem: encrypted) { "open sesame" }
    #expect(opened.publicKey.fingerprint == plain.publicKey.fingerprint)
    #expect(code { _ = try PrivateKey(pem: encrypted) { "open Sesame" } } == .wrongPassphrase)
    #expect(code { _ = try PrivateKey(pem: encrypted) { "" } } == .wrongPassphrase)
    #expect(code { _ = try PrivateKey(pem: encrypted) { nil } } == .passphraseMissing)
    #expect(
      code { _ = try PrivateKey(pem: encrypted) { "ouvre-toi, sésame" } } == .unusablePassphrase)
    let long = String(repeating: "a", count: 100_000)
    #expect(code { _ = try PrivateKey(pem: encrypted) { long } } == .wrongPassphrase)
  }

  @Test func `PKCS1 is read, too`() async throws {
    let old = try await converted("rsa", "-traditional")
    #expect(old.contains("BEGIN RSA PRIVATE KEY"))
    let key = try PrivateKey(pem: old, passphrase: noPassphrase)
    let plain = try PrivateKey(pem: try await pem(), passphrase: noPassphrase)
    #expect(key.publicKey.fingerprint == plain.publicKey.fingerprint)
  }

  @Test func `a public key is read in PEM, and as the statement has it`() async throws {
    let key = try PrivateKey(pem: try await pem(), passphrase: noPassphrase).publicKey
    #expect(try PublicKey(key.pem).fingerprint == key.fingerprint)
    #expect(try PublicKey(key.base64).fingerprint == key.fingerprint)
    #expect(try PublicKey(" \(key.base64)\n").fingerprint == key.fingerprint)
  }

  @Test func `what is no key is told from what is the other one`() async throws {
    let key = try PrivateKey(pem: try await pem(), passphrase: noPassphrase)
    let publicPEM = key.publicKey.pem
    #expect(code { _ = try PrivateKey(pem: publicPEM) { nil } } == .publicForPrivate)
    #expect(code { _ = try PublicKey(key.pkcs8PEM) } == .privateForPublic)
    for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
      #expect(code { _ = try PrivateKey(pem: text) { nil } } == .noKey)
    }
    for text in ["", "hello", "AAAA", publicPEM.replacing("MII", with: "MIJ")] {
      #expect(code { _ = try PublicKey(text) } == .noKey)
    }
    let curve = try await OpenSSL.run(
      "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    #expect(
      code { _ = try PrivateKey(pem: String(decoding: curve, as: UTF8.self)) { nil } } == .noKey)
  }

  @Test func `a short key is refused`() async throws {
    let short = String(
      decoding: try await OpenSSL.run(
        "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
      as: UTF8.self)
    #expect(code { _ = try PrivateKey(pem: short) { nil } } == .tooShort)
    let publicPEM = try await OpenSSL.run("pkey", "-pubout", input: Data(short.utf8))
    #expect(code { _ = try PublicKey(String(decoding: publicPEM, as: UTF8.self)) } == .tooShort)
  }

  @Test func `a key that is made is read again, and its description tells nothing of it`()
    async throws
  {
    let key = try PrivateKey.generate()
    let again = try PrivateKey(pem: key.pkcs8PEM, passphrase: noPassphrase)
    #expect(again.publicKey.fingerprint == key.publicKey.fingerprint)
    #expect("\(key)" == "private key of \(key.publicKey.fingerprint)")
    let text = try await OpenSSL.run("pkey", "-noout", "-text", input: Data(key.pkcs8PEM.utf8))
    #expect(String(decoding: text, as: UTF8.self).contains("2048 bit"))
  }
}
