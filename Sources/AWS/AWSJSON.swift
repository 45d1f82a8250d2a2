import Foundation

/// JSON as AWS speaks it: names begin with a capital, and here with none.
enum AWSJSON {
  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .custom { Key($0, { $0.uppercased() }) }
    return try encoder.encode(value)
  }

  static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .custom { Key($0, { $0.lowercased() }) }
    return try decoder.decode(type, from: data)
  }

  /// The last key of a path, with another first letter.
  private struct Key: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ path: [any CodingKey], _ change: (Character) -> String) {
      let last = path.last
      stringValue =
        last.map { key in
          key.stringValue.first.map { change($0) + key.stringValue.dropFirst() } ?? ""
        } ?? ""
      intValue = last?.intValue
    }

    init?(stringValue: String) {
      self.stringValue = stringValue
      intValue = nil
    }

    init?(intValue: Int) {
      stringValue = String(intValue)
      self.intValue = intValue
    }
  }
}
