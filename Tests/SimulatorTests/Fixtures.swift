import Foundation
import Simulator

/// What several tests need.
enum Fixtures {
  /// The four products of the original script.
  static let catalogueText = """
    product_id,name,category,price,valid_from
    P100,Wireless headphones,electronics,199.99,2000-01-01
    P101,Cotton T-shirt,clothing,29.99,2000-01-01
    P102,Table lamp,home,49.99,2000-01-01
    P103,Ground coffee,grocery,3.49,2000-01-01

    """

  /// Products whose text JSON has to escape and whose prices have fewer decimals.
  static let awkwardCatalogueText = #"""
    product_id,name,category,price,valid_from
    "P ""1""",Crêpe pan,Café \\ 😀,29.9,2020-02-29
    P2,Box,naïve,100,2020-02-29

    """#

  static func world(_ text: String = catalogueText) throws -> World {
    .plain(try ProductCatalogue(csv: text))
  }

  /// The retail world of a seed, with the project's own products.
  static func retailWorld(seed: UInt64 = 1) throws -> RetailWorld {
    let text = try String(contentsOf: contractFile("retail_products.csv"), encoding: .utf8)
    return try RetailWorld(catalogue: try ProductCatalogue(csv: text), seed: seed)
  }

  /// A file of the project's `contract` folder.
  static func contractFile(_ path: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../contract/\(path)").standardized
  }

  /// 2026-11-23T17:00:00Z.
  static let start: Int64 = 1_795_453_200_000_000
  static let minute: Int64 = 60_000_000

  /// As many objects as asked for, each of one minute, one after the other.
  static func objects(
    _ count: Int, events: Int, from start: Int64 = start,
    with generator: inout EventGenerator
  ) throws -> [RawObject] {
    var storage: [UInt8] = []
    return try (0..<count).map { index in
      let from = start + Int64(index) * minute
      return try generator.makeObject(
        eventCount: events, from: from, to: from + minute, arrivalMicros: from + minute,
        reusing: &storage)
    }
  }
}

extension RawObject {
  /// The lines without their LF, and whether the last one has it.
  var lines: [ArraySlice<UInt8>] {
    var lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// The records by their line.
  var answersByLine: [Int: AnswerKeyRecord] {
    Dictionary(uniqueKeysWithValues: answers.map { ($0.line, $0) })
  }
}

/// One line of a lake, where it stands and what the judge makes of it.
struct JudgedLine {
  var object: String
  var number: Int
  var bytes: ArraySlice<UInt8>
  var verdict: LineJudge.Verdict
  var answer: AnswerKeyRecord?

  static func all(of objects: [RawObject]) -> [JudgedLine] {
    objects.flatMap { object in
      let answers = object.answersByLine
      return object.lines.enumerated().map { index, bytes in
        JudgedLine(
          object: object.key.text, number: index + 1, bytes: bytes,
          verdict: LineJudge.judge(bytes), answer: answers[index + 1])
      }
    }
  }
}
