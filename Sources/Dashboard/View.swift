import Foundation

/// What a page shows of gold: a range of days, and what was drilled down to.
package struct View: Hashable, Sendable {
  /// Both ends belong to it: `2026-11-23`. Nil leaves that end open.
  package var from: String?
  package var to: String?
  package var category: String?
  package var store: String?
  package var product: String?

  package init() {}

  /// - Parameter query: of a URL, by name and decoded. What is no day is passed over, as are names
  ///   that are too long to be any.
  package init(query: (String) -> String?) {
    func day(_ name: String) -> String? {
      query(name).flatMap { $0.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) == nil ? nil : $0 }
    }
    func name(_ name: String) -> String? {
      query(name).flatMap { $0.isEmpty || $0.utf8.count > 256 ? nil : $0 }
    }
    from = day("from")
    to = day("to")
    category = name("category")
    store = name("store")
    product = name("product")
  }

  /// The view as a URL's query, without the question mark.
  package var query: String {
    var parts: [String] = []
    for (name, value) in [
      ("from", from), ("to", to), ("category", category), ("store", store), ("product", product),
    ] {
      guard let value else { continue }
      parts.append("\(name)=\(Self.encoded(value))")
    }
    return parts.joined(separator: "&")
  }

  /// A link to another view, made from this one.
  func link(_ change: (inout View) -> Void) -> String {
    var view = self
    change(&view)
    return "?\(view.query)"
  }

  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }
}
