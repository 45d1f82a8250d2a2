/// How much is bought when, in a store's own time: 1 is the mean of a typical week.
enum DemandCurve {
  /// The share of an hour of the day among the hours at which a store is open, before it is scaled
  /// so that the day's mean is 1: a hump at noon and a higher one after work.
  private static let hours: [Double] = [
    0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2,
    1.5, 1.3, 1.0, 1.0, 1.2, 1.6, 1.8, 1.5, 1.1, 0.8, 0.5, 0.3,
  ]

  /// Sunday to Saturday; the mean is 1.
  private static let weekdays: [Double] = [1.02, 0.82, 0.84, 0.88, 0.95, 1.17, 1.32]

  /// January to December; the mean is 1.
  private static let months: [Double] = [
    0.86, 0.85, 0.92, 0.96, 0.99, 0.97, 0.95, 0.97, 0.98, 1.01, 1.16, 1.38,
  ]

  /// The curve over a store's day by quarters of an hour from local midnight: 0 while it is closed,
  /// straight lines from hour to hour, its mean 1.
  static func quarters(of store: Store) -> [Double] {
    let open = (0..<TradingDay.quarters).map { quarter -> Double in
      let hour = quarter / 4
      guard (store.opens..<store.closes).contains(hour) else { return 0 }
      let part = (Double(quarter % 4) + 0.5) / 4
      return hours[hour] + (hours[(hour + 1) % 24] - hours[hour]) * part
    }
    let mean = open.reduce(0, +) / Double(open.count)
    return open.map { $0 / mean }
  }

  /// The factor of a local day, given in days since 1970-01-01, for its weekday, its season, its
  /// holidays, and the weeks in which all stores advertise.
  static func factor(ofDay day: Int, in region: Store.Region) -> Double {
    weekdays[weekday(day)] * season(day) * holiday(day, in: region) * campaign(day)
  }

  /// 0 is Sunday.
  static func weekday(_ day: Int) -> Int { ((day + 4) % 7 + 7) % 7 }

  /// From the middle of a month to that of the next in a straight line.
  private static func season(_ day: Int) -> Double {
    let date = CivilDate(daysSinceEpoch: day)
    let part = Double(date.day - 15) / 30.5
    let here = months[date.month - 1]
    let there = months[(date.month - 1 + (part < 0 ? 11 : 1)) % 12]
    return here + (there - here) * abs(part)
  }

  private static func holiday(_ day: Int, in region: Store.Region) -> Double {
    let date = CivilDate(daysSinceEpoch: day)
    switch (date.month, date.day) {
    case (12, 25): return 0.08
    case (1, 1): return 0.25
    case (12, 20...23): return 1.35
    case (12, 24): return 0.8
    case (12, 26...30): return region == .europe ? 1.25 : 1.1
    case (11, 11) where region == .asiaPacific: return 1.9
    case (7, 4) where region == .northAmerica: return 0.7
    case (5, 1) where region == .europe || region == .southAmerica: return 0.4
    default: break
    }
    // The fourth Thursday of November, and the days after it, which are advertised everywhere.
    guard date.month == 11 || date.month == 12 else { return 1 }
    switch day - thanksgiving(of: date.year) {
    case 0: return region == .northAmerica ? 0.3 : 1
    case 1: return 2.2
    case 2: return 1.5
    case 4: return 1.6
    default: return 1
    }
  }

  private static func thanksgiving(of year: Int) -> Int {
    let first = CivilDate(year: year, month: 11, day: 1)?.daysSinceEpoch ?? 0
    return first + (4 - weekday(first) + 7) % 7 + 21
  }

  /// The last week of a retail quarter is a sale.
  private static func campaign(_ day: Int) -> Double {
    let retail = RetailCalendar(daysSinceEpoch: day)
    return retail.month % 3 == 0 && retail.weekOfMonth == 4 ? 1.12 : 1
  }

  /// What a category sells in a month against its own mean.
  static func season(of category: String, month: Int) -> Double {
    switch category {
    case "electronics", "toys": month >= 11 ? 1.6 : 0.95
    case "garden": [0.3, 0.4, 0.9, 1.6, 1.9, 1.7, 1.4, 1.2, 0.9, 0.6, 0.3, 0.3][month - 1]
    case "clothing": [0.8, 0.8, 1.1, 1.1, 1.0, 0.9, 0.8, 1.0, 1.2, 1.1, 1.1, 1.1][month - 1]
    case "sports": [1.3, 0.9, 1.0, 1.1, 1.2, 1.2, 1.1, 1.0, 0.9, 0.8, 0.8, 1.0][month - 1]
    default: 1
    }
  }
}
