/// Which faults a simulator injects, and how often.
///
/// A rate is the chance that an event's line is replaced by the fault's; an event has at most one
/// fault, so these rates add up to at most 1. The rate of ``FaultKind/blank`` is apart from them: the
/// chance that a blank line goes before an event's line, as one line more. So is that of
/// ``FaultKind/truncated``: the chance that an object ends in the middle of its last line.
public struct FaultPlan: Hashable, Sendable {
  /// The rate of each fault that can happen, each above 0.
  public let rates: [FaultKind: Double]

  /// The faults that replace an event's line, each with the sum of the rates up to and with its own.
  private let thresholds: [Threshold]
  /// The chance that an event's line is replaced at all.
  let replacementRate: Double
  /// The chance that a blank line goes before an event's line.
  let blankRate: Double
  /// The chance that an object ends in the middle of its last line.
  let truncatedRate: Double
  /// Whether some fault repeats earlier events, so that they have to be remembered.
  let needsHistory: Bool

  private struct Threshold: Hashable {
    var kind: FaultKind
    var sum: Double
  }

  /// Injects nothing.
  public static let none = FaultPlan(checkedRates: [:])

  /// Small rates of every fault that costs little: ``defaultSpec``.
  public static let `default` = try! FaultPlan(spec: defaultSpec)

  /// The fault list that `default` stands for.
  public static let defaultSpec = """
    late=0.01,duplicate=0.01,conflict=0.002,messy=0.02,rescue=0.004,corrupt=0.005,\
    line_too_long=0,blank=0.002,offline=0.004,disorder=0.005,clock_skew=0,missing_field=0.002,\
    drift=0.005,truncated=0.01
    """

  /// Takes rates that the caller has at hand as numbers.
  ///
  /// - Throws: ``SimulatorError`` with the code `invalid_faults` for a rate outside 0 to 1, or when
  ///   the rates of the faults that replace an event's line add up to more than 1.
  public init(rates: [FaultKind: Double]) throws(SimulatorError) {
    for kind in FaultKind.allCases {
      if let rate = rates[kind], !(0...1).contains(rate) {
        throw Self.badRate(String(rate), of: kind.rawValue)
      }
    }
    self.init(checkedRates: rates)
    // Shares of a group need not add up to exactly the group's rate.
    let sum = rates.reduce(0) { $0 + ($1.key.replacesEvent ? $1.value : 0) }
    guard sum <= 1 + 1e-9 else {
      throw SimulatorError(
        .invalidFaults,
        "the fault rates add up to more than 1; an event has at most one fault, so lower them")
    }
  }

  private init(checkedRates: [FaultKind: Double]) {
    rates = checkedRates.filter { $0.value > 0 }
    var thresholds: [Threshold] = []
    var sum = 0.0
    // A draw that begins a dump decides on its following events, too. So that each fault has its
    // share of all events, that draw is rarer by the dump's length, and the others more likely.
    let offline = rates[.offline] ?? 0
    let length = Double(OfflineDump.meanLength)
    let start = offline / (length * (1 - offline) + offline)
    let eventsPerDraw = start * length + 1 - start
    for kind in FaultKind.allCases where kind.replacesEvent {
      guard let rate = rates[kind] else { continue }
      sum += kind == .offline ? start : rate * eventsPerDraw
      thresholds.append(Threshold(kind: kind, sum: sum))
    }
    // What should be 1 is exactly 1, so that no event slips through.
    if abs(sum - 1) < 1e-9, !thresholds.isEmpty {
      sum = 1
      thresholds[thresholds.count - 1].sum = 1
    }
    self.thresholds = thresholds
    replacementRate = sum
    blankRate = rates[.blank] ?? 0
    truncatedRate = rates[.truncated] ?? 0
    needsHistory = rates.keys.contains { $0.needsHistory }
  }

  /// The fault of the next event, or nil, which it nearly always is.
  @inline(__always)
  func drawReplacement(using random: inout SeededRandom) -> FaultKind? {
    let draw = random.unit()
    return draw < replacementRate ? kind(at: draw) : nil
  }

  private func kind(at draw: Double) -> FaultKind? {
    thresholds.first { draw < $0.sum }?.kind
  }

  static func badRate(_ text: String, of name: String) -> SimulatorError {
    SimulatorError(
      .invalidFaults, "the rate '\(text)' of '\(name)' is no number from 0 to 1, such as 0.01")
  }
}

extension FaultPlan: CustomStringConvertible {
  /// The plan as a fault list of single faults, or `none`.
  public var description: String {
    let entries = FaultKind.allCases.compactMap { kind in
      rates[kind].map { "\(kind.rawValue)=\($0)" }
    }
    return entries.isEmpty ? "none" : entries.joined(separator: ",")
  }
}
