/// How the lake compares with what the simulator wrote down.
public struct AnswerKeyScore: Encodable, Sendable, Equatable {
  /// How well one kind of thing was found.
  public struct Match: Encodable, Sendable, Equatable {
    /// How many the key names.
    public var expected = 0
    /// How many there are in the lake.
    public var found = 0
    /// How many of those are the ones that the key names.
    public var matched = 0

    /// The share of what was found that is right; 1 where nothing was found.
    public var precision: Double { found == 0 ? 1 : Double(matched) / Double(found) }
    /// The share of what the key names that was found; 1 where it names none.
    public var recall: Double { expected == 0 ? 1 : Double(matched) / Double(expected) }

    var isPerfect: Bool { matched == found && matched == expected }

    enum CodingKeys: String, CodingKey {
      case expected, found, matched, precision, recall
    }

    init() {}

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(expected, forKey: .expected)
      try container.encode(found, forKey: .found)
      try container.encode(matched, forKey: .matched)
      try container.encode(precision, forKey: .precision)
      try container.encode(recall, forKey: .recall)
    }
  }

  /// Gold against the truth, by day and category.
  public struct Gold: Encodable, Sendable, Equatable {
    /// The days and categories.
    public var rows = Match()
    /// The revenue that is true, with two decimals.
    public var expectedRevenue = "0.00"
    /// The revenue in gold, that of objects left out which the key does not know.
    public var foundRevenue = "0.00"

    enum CodingKeys: String, CodingKey {
      case rows
      case expectedRevenue = "expected_revenue"
      case foundRevenue = "found_revenue"
    }
  }

  /// Lines that had to be quarantined and were, for the right reason.
  public var matched = 0
  /// Lines that had to be quarantined and were not.
  public var missed = 0
  /// Lines that were quarantined for another reason.
  public var wrongReason = 0
  /// Lines of these objects that were quarantined and should not have been.
  public var unexpected = 0
  /// Objects of the key that were consumed.
  public var objects = 0
  /// Quarantined lines, by the reason.
  public var reasons: [String: Match] = [:]
  /// Kept losers; nil while something is pending.
  public var duplicates: Match?
  public var conflicts: Match?
  /// nil while something is pending, or where the key has no truth.
  public var gold: Gold?
  /// Where gold differs, a sentence each, a few of them.
  var differences: [String] = []

  /// Whether everything that could be compared is as the key says.
  public var perfect: Bool {
    missed == 0 && wrongReason == 0 && unexpected == 0 && duplicates?.isPerfect ?? true
      && conflicts?.isPerfect ?? true && gold?.rows.isPerfect ?? true
  }

  enum CodingKeys: String, CodingKey {
    case matched, missed, unexpected, objects, reasons, duplicates, conflicts, gold, perfect
    case wrongReason = "wrong_reason"
  }

  init() {}

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(matched, forKey: .matched)
    try container.encode(missed, forKey: .missed)
    try container.encode(wrongReason, forKey: .wrongReason)
    try container.encode(unexpected, forKey: .unexpected)
    try container.encode(objects, forKey: .objects)
    try container.encode(reasons, forKey: .reasons)
    try container.encode(duplicates, forKey: .duplicates)
    try container.encode(conflicts, forKey: .conflicts)
    try container.encode(gold, forKey: .gold)
    try container.encode(perfect, forKey: .perfect)
  }
}

extension AnswerKeyScore {
  /// The equations that `verify` lists.
  var checks: [VerifyReport.Check] {
    var checks = [
      VerifyReport.Check(
        "quarantine = answer key", .count(matched + wrongReason + unexpected),
        .count(matched + missed + wrongReason), ok: missed == 0 && unexpected == 0)
    ]
    if wrongReason > 0 {
      checks.append(VerifyReport.Check("reasons = answer key", wrongReason, 0))
    }
    for (name, match) in [("duplicates", duplicates), ("conflicts", conflicts)] {
      guard let match else { continue }
      checks.append(
        VerifyReport.Check(
          "\(name) = answer key", .count(match.found), .count(match.expected),
          ok: match.isPerfect))
    }
    if let gold {
      checks.append(
        VerifyReport.Check(
          "gold revenue = answer key", .amount(gold.foundRevenue), .amount(gold.expectedRevenue),
          ok: gold.rows.isPerfect))
    }
    return checks
  }
}
