import Crypto
import Foundation
import Lake

/// The token by which the dashboard is reached from other machines, in a file that this user alone
/// may read.
public enum AccessToken {
  /// Reads the token, or makes one where there is no file.
  public static func read(at path: String) throws -> String {
    let files = FileManager.default
    if !files.fileExists(atPath: path) {
      let token = SymmetricKey(size: .bits256).withUnsafeBytes { bytes in
        bytes.map { String(format: "%02x", $0) }.joined()
      }
      guard
        files.createFile(
          atPath: path, contents: Data((token + "\n").utf8),
          attributes: [.posixPermissions: 0o600])
      else { throw LakeError(.unsupportedPlace, "cannot write the token to \(path)") }
    }
    let text = files.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard token.utf8.count >= 16 else {
      throw LakeError(
        .unsupportedPlace,
        "the token in \(path) is missing or shorter than 16 characters: remove the file, and a new one is made"
      )
    }
    return token
  }
}
