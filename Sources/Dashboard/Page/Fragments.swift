import Foundation
import Ledger
import Mustache

/// Parts of the page as HTML, by their names in the page's template.
typealias Fragments = [String: String]

/// A table of one of the page's panels, and the chart that is drawn from it.
struct Panel {
  struct Column {
    let title: String
    var isNumber = true
  }

  struct Cell {
    /// As a person reads it.
    let text: String
    /// As a chart does.
    var value = ""
    var isNumber = true
  }

  struct Row {
    let name: String
    /// Where a click on the row, or its bar, leads.
    var link: String?
    var linkID: String?
    var isOff = false
    let cells: [Cell]
  }

  let id: String
  let title: String
  var note = ""
  /// `stacked`: a bar for each row, of all columns but `total`; `bar` and `hbar`: of the revenue.
  var chart: String?
  var wide = false
  var empty = "Nothing yet: a refresh of the whole graph brings it, once a minute."
  let columns: [Column]
  let rows: [Row]

  var isEmpty: Bool { rows.isEmpty }
}

/// Numbers and times as the page writes them.
package enum Words {
  /// `1,234,567`
  package static func count(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return number < 0 ? "-" + text : text
  }

  /// `$1,234.50` of `1234.50`.
  package static func money(_ amount: String) -> String {
    let parts = amount.split(separator: ".", maxSplits: 1)
    guard let first = parts.first, let whole = Int(first) else { return "$" + amount }
    return "$" + count(whole) + (parts.count > 1 ? "." + parts[1] : "")
  }

  package static func rate(_ perSecond: Double, _ unit: String) -> String {
    perSecond >= 10
      ? "\(count(Int(perSecond.rounded()))) \(unit)/s"
      : String(format: "%.1f \(unit)/s", perSecond)
  }

  package static func span(_ seconds: Double) -> String {
    switch seconds {
    case ..<0.9995: "\(Int((seconds * 1000).rounded())) ms"
    case ..<100: String(format: "%.1f s", seconds)
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86_400)) days"
    }
  }

  /// `2026-11-23 17:15:30 UTC` of an RFC 3339 instant in UTC.
  package static func time(_ instant: String) -> String {
    guard instant.count >= 19 else { return instant }
    return instant.prefix(19).replacing("T", with: " ") + " UTC"
  }

  package static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : String(format: "%.1f \(units[unit])", value)
  }

  /// An argument as a shell takes it.
  package static func shell(_ text: String) -> String {
    text.wholeMatch(of: /[A-Za-z0-9_.\/:=@%+-]+/) != nil
      ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
