extension Ledger {
  /// How many bronze files there are of each of some sizes.
  public struct FileSizes: Codable, Sendable, Equatable {
    public let under1MiB: Int
    public let from1To16MiB: Int
    public let from16To128MiB: Int
    public let over128MiB: Int

    enum CodingKeys: String, CodingKey {
      case under1MiB = "under_1_mib"
      case from1To16MiB = "1_to_16_mib"
      case from16To128MiB = "16_to_128_mib"
      case over128MiB = "over_128_mib"
    }

    /// The sizes in bytes, and under which name the ledger keeps how many there are.
    static let classes: [(total: String, range: Range<Int64>)] = [
      ("bronze.files.under_1_mib", 0..<1 << 20),
      ("bronze.files.1_to_16_mib", 1 << 20..<16 << 20),
      ("bronze.files.16_to_128_mib", 16 << 20..<128 << 20),
      ("bronze.files.over_128_mib", 128 << 20..<Int64.max),
    ]

    /// - Parameter totals: the ledger's sums over all commits.
    public init(_ totals: [String: Int]) {
      let counts = Self.classes.map { totals[$0.total] ?? 0 }
      (under1MiB, from1To16MiB, from16To128MiB, over128MiB) = (
        counts[0], counts[1], counts[2], counts[3]
      )
    }
  }
}
