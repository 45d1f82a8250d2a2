/// Days of the UTC calendar as numbers: 0 is 1970-01-01. The proleptic Gregorian calendar.
public enum UTCDay {
  /// The day as text, such as `2026-11-23`: the value of a `dt=` partition.
  ///
  /// Years outside 0000 to 9999, which no accepted row has, get more digits or a sign.
  public static func dayString(_ day: Int32) -> String {
    // Howard Hinnant, chrono-compatible low-level date algorithms: civil_from_days.
    let shifted = Int(day) + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return "\(year < 0 ? "-" : "")\(padded(abs(year), to: 4))-\(padded(month, to: 2))-"
      + padded(dayOfMonth, to: 2)
  }

  /// The day that text of the form `YYYY-MM-DD` names, or nil if it has another form or the
  /// calendar has no such day.
  public static func day(_ text: some StringProtocol) -> Int32? {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-")
    else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      month >= 1, month <= 12, day >= 1, day <= days(inMonth: month, of: year)
    else { return nil }
    return Int32(self.number(year: year, month: month, day: day))
  }

  /// The number of a day of the calendar; `month` 1 to 12.
  @inline(__always)
  static func number(year: Int, month: Int, day: Int) -> Int {
    // Howard Hinnant, chrono-compatible low-level date algorithms: days_from_civil.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The number of days in a month, 28 to 31; `month` 1 to 12.
  static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
