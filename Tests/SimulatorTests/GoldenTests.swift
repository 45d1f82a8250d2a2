import Foundation
import Simulator
import Testing

/// The objects of fixed seeds, held against files that are reviewed when they change.
///
/// `UPDATE_GOLDEN=1 swift test --filter GoldenTests` writes the files anew.
@Suite("Golden objects")
struct GoldenTests {
  @Test(
    "a seed gives the objects that it has always given",
    arguments: [
      ("plain", [], 0, 6), ("faults", FaultKind.allCases.prefix { $0 != .lineTooLong }, 0.9, 40),
      ("more_faults", FaultKind.allCases.drop { $0 != .offline }, 0.6, 40),
    ] as [(String, ArraySlice<FaultKind>, Double, Int)])
  func golden(name: String, kinds: ArraySlice<FaultKind>, rate: Double, events: Int) throws {
    // The first faults had these rates when `all` still shared 0.9 out among them and one more.
    let share = name == "faults" ? rate / 17.001 : rate / Double(max(1, kinds.count))
    let rates = Dictionary(uniqueKeysWithValues: kinds.map { ($0, share) })
    var generator = EventGenerator(
      world: try Fixtures.world(), seed: 2_026, faults: try FaultPlan(rates: rates))
    try compare(name, &generator, events: events)
  }

  @Test("a seed gives the retail world that it has always given")
  func retail() throws {
    var generator = EventGenerator(
      world: .retail(try Fixtures.retailWorld(seed: 2_026)), seed: 2_026)
    try compare("retail", &generator, events: 20)
  }

  private func compare(
    _ name: String, _ generator: inout EventGenerator, events: Int
  ) throws {
    // Across midnight, so that the second object has another folder.
    let start: Int64 = 1_795_478_400_000_000 - 2 * Fixtures.minute
    let objects = try Fixtures.objects(2, events: events, from: start, with: &generator)
    let text = objects.map(Self.rendered).joined(separator: "\n")

    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(text.utf8).write(to: file)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(text == golden)
  }

  /// The object as text that a reviewer can read: bytes that are no ASCII as `\xNN`.
  private static func rendered(_ object: RawObject) -> String {
    var text = "== \(object.key)\n"
    for line in object.lines {
      text += "| "
      for byte in line {
        text +=
          (0x20...0x7e).contains(byte)
          ? String(UnicodeScalar(byte)) : String(format: "\\x%02x", byte)
      }
      text += "\n"
    }
    var answers: [UInt8] = []
    for answer in object.answers { answer.append(to: &answers) }
    return text + String(decoding: answers, as: UTF8.self)
  }
}
