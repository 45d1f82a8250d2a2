/// A user of an account, both in capitals, as tokens name them.
public struct Principal: Hashable, Sendable, CustomStringConvertible {
  public let account: String
  public let user: String

  /// - Parameter account: a name or a host; what stands after the first dot, a region or a domain,
  ///   is cut off, as the vendor's clients do.
  public init(account: String, user: String) {
    self.account = Self.accountName(account)
    self.user = user.uppercased()
  }

  /// Nil unless `subject` is `ACCOUNT.USER`.
  init?(subject: String) {
    guard let dot = subject.firstIndex(of: ".") else { return nil }
    account = String(subject[..<dot])
    user = String(subject[subject.index(after: dot)...])
    if account.isEmpty || user.isEmpty { return nil }
  }

  /// The account's name in a token.
  public static func accountName(_ text: String) -> String {
    let parts = text.uppercased().split(separator: ".", omittingEmptySubsequences: false)
    guard let first = parts.first else { return "" }
    // `name-locator.global` is a name of its own form.
    if parts.count > 1, parts[1] == "GLOBAL", let dash = first.lastIndex(of: "-") {
      return String(first[..<dash])
    }
    return String(first)
  }

  /// `ACCOUNT.USER`
  public var description: String { "\(account).\(user)" }
}
