/// Draws the waits between the events of a Poisson process, of mean 1.
///
/// From a table of the distribution's quantiles, with straight lines between them. The table is made
/// with additions, multiplications and divisions alone, which every machine rounds alike; a library's
/// logarithm may differ in its last bit, and a seed has to give the same objects everywhere.
struct ExponentialTable: Sendable {
  private static let slots = 4_096
  private let quantiles: [Double]

  init() {
    quantiles = (0..<Self.slots).map {
      -Self.logarithm(1 - Double($0) / Double(Self.slots))
    }
  }

  /// The next wait.
  @inline(__always)
  func next(using random: inout SeededRandom) -> Double {
    let bits = random.next()
    let slot = Int(bits >> 52)
    let fraction = Double(bits & 0xf_ffff_ffff_ffff) * 0x1p-52
    guard slot < Self.slots - 1 else { return tail(using: &random) }
    let start = quantiles[slot]
    return start + (quantiles[slot + 1] - start) * fraction
  }

  /// Beyond the last quantile the distribution begins anew: it has no memory.
  private func tail(using random: inout SeededRandom) -> Double {
    quantiles[Self.slots - 1] + next(using: &random)
  }

  /// The natural logarithm of a number from 0 to 1, 0 left out.
  private static func logarithm(_ number: Double) -> Double {
    let ratio = (number.significand - 1) / (number.significand + 1)
    var power = ratio
    var sum = 0.0
    for step in 0..<40 {
      sum += power / Double(2 * step + 1)
      power *= ratio * ratio
    }
    return 2 * sum + Double(number.exponent) * 0.693_147_180_559_945_3
  }
}
