/// The full name of a pipe, `database.schema.pipe`.
///
/// As in SQL, a part matches without regard to case unless it is quoted.
public struct PipeName: Sendable, Equatable, CustomStringConvertible {
  /// The three parts as they are stored: in capitals, unless quoted.
  public let parts: [String]
  /// As it was written.
  public let description: String

  /// Nil unless `text` has three parts.
  public init?(_ text: String) {
    var parts: [String] = []
    var rest = Substring(text)
    while true {
      let part: String
      if rest.first == "\"" {
        // A quotation mark within is written twice.
        var name = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
          if character != "\"" {
            name.append(character)
          } else if rest.first == "\"" {
            rest = rest.dropFirst()
            name.append("\"")
          } else {
            break
          }
        }
        part = name
      } else {
        let name = rest.prefix { $0 != "." }
        rest = rest.dropFirst(name.count)
        part = name.uppercased()
      }
      if part.isEmpty { return nil }
      parts.append(part)
      if rest.isEmpty { break }
      guard rest.popFirst() == "." else { return nil }
    }
    guard parts.count == 3 else { return nil }
    self.parts = parts
    description = text
  }

  public static func == (a: PipeName, b: PipeName) -> Bool { a.parts == b.parts }

  /// In capitals, as the service writes it.
  public var canonical: String { parts.joined(separator: ".") }
}
