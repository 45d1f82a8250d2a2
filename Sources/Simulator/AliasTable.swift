/// Draws from a few choices, each with its own weight, in the time of one look-up.
///
/// Walker's alias method as Vose has it: every slot holds a choice and the one that shares the slot.
struct AliasTable: Sendable {
  private let thresholds: [UInt32]
  private let aliases: [UInt32]

  /// The sum of the weights that the table was made from.
  let totalWeight: Double

  /// Takes at least one weight, none of them negative; where all are 0 every choice is as likely.
  init(weights: [Double]) {
    let total = weights.reduce(0, +)
    let mean = total / Double(weights.count)
    var scaled = total > 0 ? weights.map { $0 / mean } : weights.map { _ in 1 }
    var thresholds = [UInt32](repeating: .max, count: weights.count)
    var aliases = weights.indices.map { UInt32($0) }
    var small = scaled.indices.filter { scaled[$0] < 1 }
    var large = scaled.indices.filter { scaled[$0] >= 1 }
    while let less = small.popLast(), let more = large.last {
      thresholds[less] = UInt32(scaled[less] * 0x1p32)
      aliases[less] = UInt32(more)
      scaled[more] -= 1 - scaled[less]
      if scaled[more] < 1 { small.append(large.removeLast()) }
    }
    self.thresholds = thresholds
    self.aliases = aliases
    totalWeight = total
  }

  /// The choice that 64 random bits stand for.
  @inline(__always)
  func choice(of bits: UInt64) -> Int {
    let slot = Int(((bits >> 32) &* UInt64(thresholds.count)) >> 32)
    return UInt32(truncatingIfNeeded: bits) <= thresholds[slot] ? slot : Int(aliases[slot])
  }
}
