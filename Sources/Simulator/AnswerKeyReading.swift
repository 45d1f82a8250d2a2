public import Foundation

/// An answer key as it was read.
public struct AnswerKeyReading: Sendable {
  /// The objects, each once.
  public private(set) var objects: [ObjectRecord] = []
  /// The faults, in the order of the file.
  public private(set) var faults: [AnswerKeyRecord] = []
  /// The number of the first line that is no record, from 1; nil if all are.
  public private(set) var brokenLine: Int?
  /// The object whose records a kill left unfinished at the end of the file.
  let unfinishedObject: String?
  /// How many bytes there are up to the totals, or to the records that a kill left unfinished.
  let wholeBytes: Int

  private struct Kind: Decodable {
    let fault: String
  }

  /// Reads a file; what follows its last LF is being written, or was cut off by a kill.
  public init(_ bytes: Data) {
    let decoder = JSONDecoder()
    var seen: Set<String> = []
    var number = 0
    var start = bytes.startIndex
    // How many records of the object at hand are to come, and where the last whole object ends.
    var missing = 0
    var whole = start
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = bytes[start..<end]
      let next = end + 1
      number += 1
      if let fault = try? decoder.decode(AnswerKeyRecord.self, from: line) {
        faults.append(fault)
        missing -= 1
        if missing <= 0 { whole = next }
      } else if let object = try? decoder.decode(ObjectRecord.self, from: line) {
        if seen.insert(object.sourceObject).inserted { objects.append(object) }
        missing = object.faults
        if missing == 0 { whole = next }
      } else {
        let kind = (try? decoder.decode(Kind.self, from: line))?.fault
        if ![AnswerKeyTotals.groupKind, AnswerKeyTotals.grandKind].contains(kind) {
          brokenLine = brokenLine ?? number
          whole = next
        }
      }
      start = next
    }
    unfinishedObject = missing > 0 ? objects.last?.sourceObject : nil
    wholeBytes = whole - bytes.startIndex
  }
}
