/// A name in a fault list for several faults at once; its rate is shared out among them.
public enum FaultGroup: String, CaseIterable, Hashable, Sendable {
  /// Every fault that gets a line quarantined.
  case corrupt
  /// The faults whose line is accepted with a part of it in `_rescued_data`.
  case rescue
  /// Every fault there is.
  case all

  /// The faults that the name stands for.
  public var kinds: [FaultKind] {
    switch self {
    case .corrupt: FaultKind.allCases.filter { $0.expectedVerdict == .quarantined }
    case .rescue: [.unknownField, .badType]
    case .all: FaultKind.allCases
    }
  }
}
