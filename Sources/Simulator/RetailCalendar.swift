/// A day in the retail calendar: years of 52 or 53 weeks from Sunday to Saturday, in quarters whose
/// months have four, five and four weeks.
///
/// As the National Retail Federation keeps it (<https://nrf.com/resources/4-5-4-calendar>): a year
/// ends on the Saturday nearest to 31 January, and a 53rd week belongs to its last month.
public struct RetailCalendar: Hashable, Sendable {
  /// The year; it begins in the calendar year of the same number.
  public let year: Int
  /// The month, 1 (February, more or less) to 12.
  public let month: Int
  /// The week in the month, from 1: up to 4 or 5.
  public let weekOfMonth: Int
  /// The week in the year, 1 to 53.
  public let weekOfYear: Int

  private static let weeksOfMonths = [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 4]

  /// The place of a date, given in days since 1970-01-01.
  public init(daysSinceEpoch day: Int) {
    let civil = CivilDate(daysSinceEpoch: day).year
    // Around the turn of a retail year, at the end of January, the year is the one before.
    let year = day < Self.start(of: civil) ? civil - 1 : civil
    let week = (day - Self.start(of: year)) / 7
    self.year = year
    weekOfYear = week + 1
    var month = 0
    var first = 0
    while month < 11, week >= first + Self.weeksOfMonths[month] {
      first += Self.weeksOfMonths[month]
      month += 1
    }
    self.month = month + 1
    weekOfMonth = week - first + 1
  }

  /// The first day of a retail year, a Sunday, in days since 1970-01-01.
  static func start(of year: Int) -> Int {
    // The day after the Saturday nearest to 31 January; 1970-01-01 was a Thursday.
    let january31 = CivilDate(year: year, month: 1, day: 31)?.daysSinceEpoch ?? 0
    let weekday = ((january31 + 4) % 7 + 7) % 7
    let toSaturday = (6 - weekday + 7) % 7
    return january31 + (toSaturday <= 3 ? toSaturday : toSaturday - 7) + 1
  }
}
