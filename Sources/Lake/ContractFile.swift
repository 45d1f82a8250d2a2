public import Contract
public import Crypto
import Foundation

/// The contract as it was read from a file, with the hash by which commits name it.
public struct ContractFile: Sendable {
  public let contract: EventContract
  /// Where it was read.
  public let path: String
  /// SHA-256 of the file's bytes, in hexadecimal.
  public let sha256: String

  /// Reads `contract/purchase_event.schema.json` or another file in its place.
  public init(path: String) throws {
    self.path = path
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw LakeError(
        .noContract,
        "there is no contract at \(path): name one with --contract, or restore the file")
    }
    contract = try EventContract(schema: bytes)
    sha256 = SHA256.hash(data: bytes).hexadecimal
  }
}

extension SHA256Digest {
  /// Two lower-case digits a byte.
  public var hexadecimal: String {
    map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}
