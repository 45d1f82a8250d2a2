public import Foundation

/// Instants as the lake's records write them: RFC 3339, UTC.
public enum Timestamp {
  /// `2026-11-23T17:15:30.123Z`
  public static func text(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  public static func date(_ text: String) -> Date? {
    try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
  }

  /// `2026-11-23`
  public static func day(unixSeconds: Int64) -> String {
    Date(timeIntervalSince1970: TimeInterval(unixSeconds))
      .formatted(Date.ISO8601FormatStyle().year().month().day())
  }
}
