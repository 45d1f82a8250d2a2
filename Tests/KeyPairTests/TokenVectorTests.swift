import Foundation
import KeyPair
import Testing

@Suite struct TokenVectorTests {
  @Test(arguments: Vectors.all)
  func `a published token is read, and its signature holds`(_ vector: Vectors.Vector) throws {
    let jws = try #require(JWS(vector.token))
    #expect(String(decoding: jws.payload, as: UTF8.self) == vector.payload)
    #expect(try vector.publicKey().isValid(jws.signature, for: jws.signingInput))
    #expect(jws.text == vector.token)
  }

  @Test(arguments: Vectors.all)
  func `the published key makes the published token`(_ vector: Vectors.Vector) throws {
    let jws = try #require(JWS(vector.token))
    let made = try JWS(header: jws.header, payload: jws.payload, key: vector.privateKey())
    #expect(made.text == vector.token)
  }

  @Test(arguments: Vectors.all)
  func `any bit that is turned breaks the signature`(_ vector: Vectors.Vector) throws {
    let jws = try #require(JWS(vector.token))
    let key = try vector.publicKey()
    for position in [0, jws.signature.count / 2, jws.signature.count - 1] {
      var signature = jws.signature
      signature[signature.startIndex + position] ^= 1
      #expect(!key.isValid(signature, for: jws.signingInput))
    }
    for position in [0, jws.signingInput.count - 1] {
      var input = jws.signingInput
      input[input.startIndex + position] ^= 1
      #expect(!key.isValid(jws.signature, for: input))
    }
    #expect(!key.isValid(Data(), for: jws.signingInput))
    #expect(!key.isValid(jws.signature + [0], for: jws.signingInput))
    #expect(!key.isValid(jws.signature.dropFirst(), for: jws.signingInput))
  }

  @Test func `the key of one vector does not accept the token of the other`() throws {
    let jws = try #require(JWS(Vectors.rfc7515.token))
    #expect(try !Vectors.rfc7520.publicKey().isValid(jws.signature, for: jws.signingInput))
  }

  @Test(arguments: [
    "", ".", "a.b", "a.b.c.d", "eyJhbGciOiJSUzI1NiJ9.e30", "e30=.e30.e30", "e30.e30.e3 0",
    "e30.e30.e+/0", "e30.e31.e30", "e30.e.e30", "e30.é.e30", "e30\n.e30.e30",
  ])
  func `what is no compact form is no token`(_ text: String) {
    // "e31" has bits that stand for nothing: the form of "{}" is "e30".
    #expect(JWS(text) == nil)
  }
}
