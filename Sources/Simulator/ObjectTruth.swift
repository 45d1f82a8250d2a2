/// What is true of the events of one or more raw objects: by UTC day and category, as gold has it.
public struct ObjectTruth: Hashable, Sendable {
  /// A row of gold.
  public struct Group: Hashable, Sendable, Comparable {
    /// The UTC day, `2026-11-23`.
    public var day: String
    /// The category in lower case; nil for events without one.
    public var category: String?

    /// Takes the names as they are.
    public init(day: String, category: String?) {
      self.day = day
      self.category = category
    }

    public static func < (left: Group, right: Group) -> Bool {
      (left.day, left.category ?? "\u{10ffff}") < (right.day, right.category ?? "\u{10ffff}")
    }
  }

  /// What is added up in a group.
  public struct Sums: Hashable, Sendable {
    /// The number of purchases.
    public var transactions = 0
    /// Their total amounts, in cents.
    public var revenueCents: Int64 = 0
    /// Their quantities.
    public var units = 0

    /// Nothing.
    public init() {}

    /// Takes the sums as they are.
    public init(transactions: Int, revenueCents: Int64, units: Int) {
      self.transactions = transactions
      self.revenueCents = revenueCents
      self.units = units
    }

    /// Adds the sums of others.
    public static func += (left: inout Sums, right: Sums) {
      left.transactions += right.transactions
      left.revenueCents += right.revenueCents
      left.units += right.units
    }

    /// The revenue with two decimals.
    public var revenue: String {
      "\(revenueCents / 100).\(CivilDate.padded(Int(revenueCents % 100), to: 2))"
    }
  }

  /// The sums of each group that has a purchase.
  public var groups: [Group: Sums] = [:]

  /// No purchase.
  public init() {}

  /// Adds the purchases of others.
  public mutating func add(_ other: ObjectTruth) {
    for (group, sums) in other.groups { groups[group, default: Sums()] += sums }
  }

  /// All groups together.
  public var total: Sums { groups.values.reduce(into: Sums()) { $0 += $1 } }
}
