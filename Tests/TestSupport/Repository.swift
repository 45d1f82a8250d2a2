public import Contract
public import Foundation

/// The files of the repository that the tests read.
public enum Repository {
  public static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  public static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: root.appending(path: path)))
  }

  public static func contract() throws -> EventContract {
    try EventContract(schema: bytes("contract/purchase_event.schema.json"))
  }
}
