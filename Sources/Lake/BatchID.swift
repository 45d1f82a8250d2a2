public import Foundation

/// The name of one unit of work: `20261123T171530123Z-5f0c9a1b`. The names of one process sort by
/// the time of their making.
public struct BatchID: Hashable, Sendable, Codable, CustomStringConvertible {
  public let text: String

  /// - Parameters:
  ///   - date: when the batch was begun.
  ///   - random: what tells apart the batches of several processes.
  public init(
    at date: Date = Date(), random: UInt32 = UInt32.random(in: UInt32.min...UInt32.max)
  ) {
    let digits = Timestamp.text(date).filter { $0.isNumber || $0 == "T" || $0 == "Z" }
    let hex = String(random, radix: 16)
    text = "\(digits)-\(String(repeating: "0", count: 8 - hex.count))\(hex)"
  }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    // It becomes part of keys, and names what may be removed.
    let isName = text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || $0 == UInt8(ascii: "-")
    }
    guard (1...64).contains(text.utf8.count), isName else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "not the name of a batch"))
    }
    self.text = text
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  public var description: String { text }
}
