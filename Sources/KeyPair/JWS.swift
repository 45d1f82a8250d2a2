package import Foundation

/// The compact form of a JSON Web Signature by RS256 (RFC 7515, 3.1 and 7.1).
package struct JWS: Sendable {
  package let header: Data
  package let payload: Data
  package let signature: Data
  /// What is signed: the first two parts as they stand in the token.
  package let signingInput: Data

  /// Signs a payload.
  package init(header: Data, payload: Data, key: PrivateKey) throws {
    self.header = header
    self.payload = payload
    signingInput = Data("\(Self.encode(header)).\(Self.encode(payload))".utf8)
    signature = try key.signature(for: signingInput)
  }

  /// Nil unless `token` is three parts of Base64url joined by dots.
  package init?(_ token: String) {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let header = Self.decode(parts[0]),
      let payload = Self.decode(parts[1]), let signature = Self.decode(parts[2])
    else { return nil }
    self.header = header
    self.payload = payload
    self.signature = signature
    signingInput = Data("\(parts[0]).\(parts[1])".utf8)
  }

  package var text: String {
    "\(String(decoding: signingInput, as: UTF8.self)).\(Self.encode(signature))"
  }

  // MARK: -

  /// Base64url without padding (RFC 7515, 2).
  private static func encode(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }

  private static func decode(_ text: String) -> Data? {
    guard
      text.utf8.allSatisfy({
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      })
    else { return nil }
    let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    let data = Data(
      base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/") + padding)
    // Bits that nobody reads must be zero: one value has one form.
    guard let data, encode(data) == text else { return nil }
    return data
  }
}
