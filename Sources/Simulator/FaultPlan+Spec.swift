extension FaultPlan {
  /// Reads a fault list: `none`, `default`, or names with rates such as `late=0.01,corrupt=0.005`.
  ///
  /// A name is a fault's (``FaultKind``) or a group's (``FaultGroup``), whose rate is shared out among
  /// its faults: evenly, but for the costly `line_too_long`, which gets a thousandth of a share. A
  /// fault's own rate stands before its group's, and a smaller group's before a larger one's, in
  /// whatever order they come. `default` may be followed by names that change it.
  ///
  /// - Throws: ``SimulatorError`` with the code `invalid_faults` for an unknown name, a name twice, a
  ///   rate that is no number from 0 to 1, or rates that add up to more than 1.
  public init(spec: String) throws(SimulatorError) {
    let items = spec.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
    if items == ["none"] {
      self = .none
      return
    }
    var rates: [FaultKind: Double] = [:]
    var named = items[...]
    if items.first == "default" {
      rates = Self.default.rates
      named = items.dropFirst()
    }
    var given: [String: Double] = [:]
    for item in named {
      let (name, rate) = try Self.entry(item)
      guard given.updateValue(rate, forKey: name) == nil else {
        throw SimulatorError(.invalidFaults, "the fault '\(name)' stands twice in '\(spec)'")
      }
    }
    for group in [FaultGroup.all, .corrupt, .rescue] {
      guard let rate = given[group.rawValue] else { continue }
      let weight = group.kinds.reduce(0) { $0 + $1.weightInGroup }
      for kind in group.kinds { rates[kind] = rate * kind.weightInGroup / weight }
    }
    for kind in FaultKind.allCases {
      if let rate = given[kind.rawValue] { rates[kind] = rate }
    }
    try self.init(rates: rates)
  }

  /// Every name that a fault list may have, the groups first.
  public static let names: [String] =
    FaultGroup.allCases.map(\.rawValue) + FaultKind.allCases.map(\.rawValue)

  private static func entry(_ item: String) throws(SimulatorError) -> (name: String, rate: Double) {
    let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = trimmed(parts[0])
    guard names.contains(name) else {
      let nearest = EditDistance.nearest(to: name, among: names + ["none", "default"])
      throw SimulatorError(
        .invalidFaults,
        "there is no fault '\(name)'\(nearest.map { ", did you mean '\($0)'?" } ?? ";") "
          + "use none, default, or name=rate with these names: "
          + names.joined(separator: ", "))
    }
    guard parts.count == 2 else {
      throw SimulatorError(.invalidFaults, "the fault '\(name)' has no rate; write \(name)=0.01")
    }
    let text = trimmed(parts[1])
    guard let rate = Double(text), (0...1).contains(rate) else {
      throw badRate(text, of: name)
    }
    return (name, rate)
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
