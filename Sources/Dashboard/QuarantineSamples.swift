import Foundation
import Lake
import Ledger
import ObjectStore

/// Lines that were quarantined lately, by reason, so that a person sees what is wrong with them.
actor QuarantineSamples {
  struct Sample: Sendable, Equatable {
    /// The raw object and the number of the line in it.
    let place: String
    /// The beginning of the line; characters that would not be seen are replaced.
    let text: String
  }

  private static let perReason = 3
  private static let mostFiles = 8
  /// Of one file, in bytes: a quarantine file may hold millions of lines.
  private static let mostBytes = 256 << 10
  private static let mostCharacters = 300

  private let lake: Lake
  private var newest: ObjectKey?
  private var samples: [String: [Sample]] = [:]

  init(lake: Lake) { self.lake = lake }

  /// Samples from the newest files in force.
  func read(_ ledger: Ledger) async throws -> [String: [Sample]] {
    let files = try ledger.quarantineFiles(newest: Self.mostFiles).map(\.file.key)
    if files.first == newest { return samples }
    var found: [String: [Sample]] = [:]
    for key in files {
      // One that vanished is the business of `verify`.
      guard let bytes = try? await head(key) else { continue }
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        // The last one may be cut off.
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(line)),
          found[record.reason, default: []].count < Self.perReason
        else { continue }
        found[record.reason, default: []].append(record.sample)
      }
    }
    newest = files.first
    samples = found
    return found
  }

  private func head(_ key: ObjectKey) async throws -> [UInt8] {
    let reader = try await lake.store.open(key)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.mostBytes, alignment: 16)
    defer { buffer.deallocate() }
    var count = 0
    while count < buffer.count {
      let read = try await reader.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      if read == 0 { break }
      count += read
    }
    return Array(buffer[..<count])
  }

  /// A line of a quarantine file.
  private struct Record: Decodable {
    let reason: String
    let sourceObject: String
    let line: Int
    let raw: String?
    let rawBase64: String?

    enum CodingKeys: String, CodingKey {
      case reason, line, raw
      case sourceObject = "source_object"
      case rawBase64 = "raw_base64"
    }

    var sample: Sample {
      let text =
        raw ?? rawBase64.flatMap { Data(base64Encoded: $0) }.map {
          String(decoding: $0, as: UTF8.self)
        }
        ?? ""
      let start = text.prefix(QuarantineSamples.mostCharacters)
      var visible = String(
        start.unicodeScalars.map { scalar -> Character in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            "\u{FFFD}"
          default: Character(scalar)
          }
        })
      if start.endIndex < text.endIndex { visible += "…" }
      return Sample(place: "\(sourceObject):\(line)", text: visible)
    }
  }
}
