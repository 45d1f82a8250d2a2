/// A name in a fault list for several faults at once; its rate is shared out among them.
public enum FaultGroup: String, CaseIterable, Hashable, Sendable {
  /// Every fault that is named after the reason for which its line is quarantined.
  case corrupt
  /// The faults whose line is accepted with a part of it in `_rescued_data`.
  case rescue
  /// Every fault there is.
  case all

  /// What the group is, in a line for `--help`.
  public var summary: String {
    switch self {
    case .corrupt: "one fault for each reason of the quarantine"
    case .rescue: "unknown_field and bad_type"
    case .all: "every fault"
    }
  }

  /// The faults that the name stands for.
  public var kinds: [FaultKind] {
    switch self {
    case .corrupt: FaultKind.allCases.filter { $0.expectedReason == $0.rawValue }
    case .rescue: [.unknownField, .badType]
    case .all: FaultKind.allCases
    }
  }
}
