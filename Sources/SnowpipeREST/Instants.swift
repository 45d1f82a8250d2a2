public import Foundation

/// Instants as the protocol writes them: ISO 8601 in UTC, with milliseconds.
public enum Instants {
  public static func text(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// Reads an instant with or without a fraction; nil if it is none.
  public static func date(_ text: String) -> Date? {
    // In a query a plus that nobody encoded has become a blank.
    let text = text.replacing(" ", with: "+")
    return (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
      ?? (try? Date.ISO8601FormatStyle().parse(text))
  }
}
