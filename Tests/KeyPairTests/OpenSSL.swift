import Foundation
import Subprocess
import Testing

/// The `openssl` command, which knows nothing of this program.
enum OpenSSL {
  static let isThere = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
  }

  static func run(_ arguments: String..., input: Data = Data()) async throws -> Data {
    try await run(arguments, input: input)
  }

  static func run(_ arguments: [String], input: Data = Data()) async throws -> Data {
    let result = try await Subprocess.run(
      .name("openssl"), arguments: Arguments(arguments), input: .array(Array(input)),
      output: .bytes(limit: 1 << 20), error: .discarded)
    try #require(result.terminationStatus.isSuccess, "openssl \(arguments)")
    return Data(result.standardOutput)
  }
}
