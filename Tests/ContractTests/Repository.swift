import Contract
import Foundation

/// The files of the repository that the tests read.
enum Repository {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: root.appending(path: path)))
  }

  static func contract() throws -> EventContract {
    try EventContract(schema: bytes("contract/purchase_event.schema.json"))
  }
}
