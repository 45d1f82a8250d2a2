public import Foundation

/// An answer key as it was read.
public struct AnswerKeyReading: Sendable {
  /// The objects, each once.
  public let objects: [ObjectRecord]
  /// The faults, in the order of the file, without their events' ids where the simulator wrote them.
  public let faults: [AnswerKeyRecord]
  /// The number of the first line that is no record, from 1; nil if all are.
  public let brokenLine: Int?
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
    var scanner = AnswerKeyScanner()
    var seen: Set<String> = []
    var number = 0
    // How many records of the object at hand are to come, and where the last whole object ends.
    var missing = 0
    var whole = 0
    var objects: [ObjectRecord] = []
    var faults: [AnswerKeyRecord] = []
    var brokenLine: Int?
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var start = 0
      // Sound: `memchr` looks at no more than the bytes that are left.
      while let feed = memchr(base + start, 0x0a, bytes.count - start) {
        let end = UnsafeRawPointer(feed) - base
        let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        start = end + 1
        number += 1
        if let fault = scanner.fault(line) {
          faults.append(fault)
          missing -= 1
          if missing <= 0 { whole = end + 1 }
          continue
        }
        let data = Data(line)
        if let object = try? decoder.decode(ObjectRecord.self, from: data) {
          if seen.insert(object.sourceObject).inserted { objects.append(object) }
          missing = object.faults
          if missing == 0 { whole = end + 1 }
        } else if let fault = try? decoder.decode(AnswerKeyRecord.self, from: data) {
          faults.append(fault)
          missing -= 1
          if missing <= 0 { whole = end + 1 }
        } else {
          let kind = (try? decoder.decode(Kind.self, from: data))?.fault
          if ![AnswerKeyTotals.groupKind, AnswerKeyTotals.grandKind].contains(kind) {
            brokenLine = brokenLine ?? number
            whole = end + 1
          }
        }
      }
    }
    (self.objects, self.faults, self.brokenLine) = (objects, faults, brokenLine)
    unfinishedObject = missing > 0 ? objects.last?.sourceObject : nil
    wholeBytes = whole
  }
}
