/// What `commits/0.json` says: which lake this is, and in which format it is written.
public struct LakeIdentity: Codable, Sendable, Equatable {
  public static let currentFormat = 1

  public let format: Int
  /// Made once; ledgers and warehouses carry it, so that none is used with another lake.
  public let lake: String
  public let createdAt: String
  public let engine: String

  enum CodingKeys: String, CodingKey {
    case format, lake, engine
    case createdAt = "created_at"
  }

  public init(lake: String, createdAt: String) {
    format = Self.currentFormat
    self.lake = lake
    self.createdAt = createdAt
    engine = Version.engine
  }
}
