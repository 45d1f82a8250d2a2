/// How many lines met which verdict. `lines` = `accepted` + `quarantinedTotal` + `blank`.
public struct LineCounts: Sendable, Equatable {
  /// How many names `rescued` holds at most, apart from `otherNames`.
  public static let mostRescuedNames = 512
  /// Where `rescued` counts the names that it has no room for.
  public static let otherNames = "(other)"

  /// Lines of any verdict.
  public var lines = 0
  /// Lines that became rows.
  public var accepted = 0
  /// Lines of blanks, tabs or nothing.
  public var blank = 0
  /// Lines by reason; no zeros.
  public var quarantined: [QuarantineReason: Int] = [:]
  /// Rescued members of accepted lines by their name, escapes undone; no zeros.
  ///
  /// The names come from the data, so they are bounded: the counts of one object hold the
  /// contract's fields, the first 256 other names of at most 256 bytes, and the rest under
  /// `otherNames`; a sum holds `mostRescuedNames`.
  public var rescued: [String: Int] = [:]

  /// Nothing counted.
  public init() {}

  /// Quarantined lines, whatever the reason.
  public var quarantinedTotal: Int { quarantined.values.reduce(0, +) }

  public static func += (sum: inout LineCounts, part: LineCounts) {
    sum.lines += part.lines
    sum.accepted += part.accepted
    sum.blank += part.blank
    sum.quarantined.merge(part.quarantined, uniquingKeysWith: +)
    let room = part.rescued.count + sum.rescued.count <= mostRescuedNames
    if room {
      sum.rescued.merge(part.rescued, uniquingKeysWith: +)
    } else {
      // Sorted, so that which names find room does not depend on a dictionary's order.
      for (name, count) in part.rescued.sorted(by: { $0.key < $1.key }) {
        let isKept =
          sum.rescued[name] != nil || name == otherNames || sum.rescued.count < mostRescuedNames
        sum.rescued[isKept ? name : otherNames, default: 0] += count
      }
    }
  }

  public static func + (a: LineCounts, b: LineCounts) -> LineCounts {
    var sum = a
    sum += b
    return sum
  }
}
