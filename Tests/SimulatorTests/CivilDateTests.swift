import Foundation
import Simulator
import Testing

@Suite("Calendar")
struct CivilDateTests {
  @Test("every day from 1899 to 2101 follows the one before it and comes back from its number")
  func everyDay() throws {
    let first = try #require(CivilDate("1899-12-31"))
    let last = try #require(CivilDate("2101-01-01"))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    for number in first.daysSinceEpoch...last.daysSinceEpoch {
      let date = CivilDate(daysSinceEpoch: number)
      #expect(date.daysSinceEpoch == number)
      if number % 17 == 0 {
        let parts = calendar.dateComponents(
          [.year, .month, .day], from: Date(timeIntervalSince1970: Double(number) * 86_400))
        #expect([date.year, date.month, date.day] == [parts.year, parts.month, parts.day])
      }
      #expect(CivilDate(date.description) == date)
      #expect(date > CivilDate(daysSinceEpoch: number - 1))
    }
  }

  @Test(
    "an instant falls on its UTC day, before 1970 too",
    arguments: [
      (0, "1970-01-01"), (-1, "1969-12-31"), (86_399_999_999, "1970-01-01"),
      (86_400_000_000, "1970-01-02"), (951_782_400_000_000, "2000-02-29"),
      (4_107_542_399_999_999, "2100-02-28"), (4_107_542_400_000_000, "2100-03-01"),
    ] as [(Int64, String)])
  func instants(micros: Int64, day: String) {
    #expect(CivilDate(micros: micros).description == day)
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "2026-2-3", "2026-02-30", "2100-02-29", "2026-13-01", "2026-00-10", "2026-01-00",
      "2026/01/01", "2026-01-01 ", "-026-01-01", "２026-01-01",
    ])
  func noDates(text: String) {
    #expect(CivilDate(text) == nil)
  }
}
