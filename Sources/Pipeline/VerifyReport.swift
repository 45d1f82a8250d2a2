/// What `medallion verify` found: whether every line is accounted for.
public struct VerifyReport: Encodable, Sendable {
  /// A number of things, or an amount of money as text with two decimals.
  public enum Quantity: Encodable, Sendable, Equatable, CustomStringConvertible {
    case count(Int)
    case amount(String)

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .count(let count): try container.encode(count)
      case .amount(let amount): try container.encode(amount)
      }
    }

    public var description: String {
      switch self {
      case .count(let count): String(count)
      case .amount(let amount): amount
      }
    }
  }

  /// One equality, its sides counted apart from each other.
  public struct Check: Encodable, Sendable, Equatable {
    public let name: String
    public let left: Quantity
    public let right: Quantity
    public let ok: Bool

    init(_ name: String, _ left: Int, _ right: Int) {
      self.init(name, .count(left), .count(right), ok: left == right)
    }

    init(_ name: String, _ left: Quantity, _ right: Quantity, ok: Bool) {
      self.name = name
      self.left = left
      self.right = right
      self.ok = ok
    }
  }

  /// The equation of one commit.
  public struct Batch: Encodable, Sendable, Equatable {
    public let commit: Int
    public let batch: String
    public let lines: Int
    public let accepted: Int
    public let quarantined: Int
    public let blank: Int
    /// By the footers of its files.
    public let bronzeRows: Int
    /// In the warehouse; nil while a file of it is not loaded.
    public let stagingRows: Int?
    public let ok: Bool

    enum CodingKeys: String, CodingKey {
      case commit, batch, lines, accepted, quarantined, blank, ok
      case bronzeRows = "bronze_rows"
      case stagingRows = "staging_rows"
    }
  }

  /// What has not arrived at the next layer yet, which is no imbalance.
  public struct Waiting: Encodable, Sendable, Equatable {
    public var rawObjects = 0
    public var bronzeRows = 0
    public var stagingRows = 0
    /// Quarantined lines that have yet to come into the warehouse, or, superseded, to leave it.
    public var quarantineRows = 0

    enum CodingKeys: String, CodingKey {
      case rawObjects = "raw_objects"
      case bronzeRows = "bronze_rows"
      case stagingRows = "staging_rows"
      case quarantineRows = "quarantine_rows"
    }
  }

  public let balanced: Bool
  /// Everything in `waiting`, added up; 0 once all has arrived.
  public let pending: Int
  public let waiting: Waiting
  public let checks: [Check]
  public let batches: [Batch]
  /// How the lake compares with the answer key; nil without one.
  public let score: AnswerKeyScore?
  /// Where it does not balance, a sentence each.
  public let findings: [String]

  enum CodingKeys: String, CodingKey {
    case balanced, pending, waiting, checks, batches, findings
    case score = "answer_key"
  }
}
