#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The name of an object in a lake: a relative path with `/` between its parts, such as
/// `raw/yyyy=2026/mm=11/dd=23/HH=17/x.json`.
public struct ObjectKey: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  public let text: String

  /// Nil unless `text` is a relative path of 1 to 1024 bytes without empty, `.` or `..` parts
  /// and without control characters.
  public init?(_ text: String) {
    guard (1...1024).contains(text.utf8.count) else { return nil }
    for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
        return nil
      }
    }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
    self.text = text
  }

  /// A key that the program composes itself of parts that it made.
  public init(trusted text: String) { self.text = text }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let key = ObjectKey(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not an object key: \(text)"))
    }
    self = key
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  public var description: String { text }

  /// The part after the last `/`.
  public var name: Substring {
    text.lastIndex(of: "/").map { text[text.index(after: $0)...] } ?? text[...]
  }

  /// Byte order, as S3 lists keys; Swift's own string order would follow Unicode.
  public static func < (a: ObjectKey, b: ObjectKey) -> Bool {
    let order = a.text.utf8.withContiguousStorageIfAvailable { a in
      b.text.utf8.withContiguousStorageIfAvailable { b in
        let order = memcmp(a.baseAddress!, b.baseAddress!, min(a.count, b.count))
        return order == 0 ? a.count < b.count : order < 0
      }
    }
    return (order ?? nil) ?? a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }

  public static func == (a: ObjectKey, b: ObjectKey) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
