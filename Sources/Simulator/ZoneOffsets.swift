import Foundation

/// How far a time zone's clocks are from UTC, looked up rarely.
///
/// Foundation is asked once for each change of the clocks and not for each event.
struct ZoneOffsets: Sendable {
  private let zone: TimeZone

  /// - Throws: ``SimulatorError`` with the code `invalid_request` where the machine does not know
  ///   the zone.
  init(_ name: String) throws(SimulatorError) {
    guard let zone = TimeZone(identifier: name) else {
      throw SimulatorError(
        .invalidRequest,
        "this machine does not know the time zone \(name): install its time zone data")
    }
    self.zone = zone
  }

  /// Seconds to add to UTC in each quarter of an hour of a UTC day.
  func quarters(ofDay daysSinceEpoch: Int) -> [Int] {
    let start = Double(daysSinceEpoch) * 86_400
    var offsets: [Int] = []
    offsets.reserveCapacity(TradingDay.quarters)
    var offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: start))
    let change = zone.nextDaylightSavingTimeTransition(after: Date(timeIntervalSince1970: start))?
      .timeIntervalSince1970
    for quarter in 0..<TradingDay.quarters {
      let time = start + Double(quarter) * 900
      if let change, time >= change, time < change + 900 {
        offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: time))
      }
      offsets.append(offset)
    }
    return offsets
  }
}
