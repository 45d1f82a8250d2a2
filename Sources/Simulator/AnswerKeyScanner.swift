import Foundation

/// Reads the records of faults as ``AnswerKeyRecord/append(to:)`` writes them, a hundred times as fast
/// as a decoder of any JSON would.
///
/// A key of millions of events has more than a million records. What is written in another way is
/// left to such a decoder.
struct AnswerKeyScanner {
  /// Each object's key once, however many records name it.
  private var objects: [String: String] = [:]
  private var lastObject: String = ""

  /// The record in a line without its LF, but for its event's id; nil if it is written otherwise.
  mutating func fault(_ line: UnsafeRawBufferPointer) -> AnswerKeyRecord? {
    var cursor = Cursor(rest: line)
    guard cursor.take(#"{"source_object": ""#), let object = cursor.text(),
      cursor.take(#", "line": "#), let number = cursor.number(),
      cursor.take(#", "fault": ""#), let kindText = cursor.text(),
      let kind = FaultKind(rawValue: String(decoding: kindText, as: UTF8.self)),
      cursor.take(#", "verdict": ""#), let verdictText = cursor.text(),
      let verdict = ExpectedVerdict(rawValue: String(decoding: verdictText, as: UTF8.self)),
      cursor.take(#", "reason": "#), let reason = cursor.optionalText(),
      cursor.take(#", "event_id": "#), cursor.optionalText() != nil,
      cursor.take(#", "rescued_field": "#), let rescued = cursor.optionalText(),
      cursor.take(#", "original_object": "#), let original = cursor.optionalText(),
      cursor.take(#", "original_line": "#), let originalLine = cursor.optionalNumber(),
      cursor.take("}"), cursor.rest.isEmpty
    else { return nil }
    var record = AnswerKeyRecord(
      sourceObject: interned(object), line: number, fault: kind,
      rescuedField: rescued.map { String(decoding: $0, as: UTF8.self) },
      originalObject: original.map { interned($0) }, originalLine: originalLine)
    record.verdict = verdict
    // Nearly always the kind's own, which takes no memory.
    let isUsual = reason.map { $0.elementsEqual((kind.expectedReason ?? "").utf8) } ?? false
    record.reason =
      isUsual ? kind.expectedReason : reason.map { String(decoding: $0, as: UTF8.self) }
    return record
  }

  private mutating func interned(_ text: UnsafeRawBufferPointer) -> String {
    // Sound: `withUTF8` gives the bytes of a string of its own for the time of the comparison.
    let isLast = lastObject.withUTF8 {
      $0.count == text.count && !text.isEmpty
        && memcmp($0.baseAddress!, text.baseAddress!, text.count) == 0
    }
    if isLast { return lastObject }
    let object = String(decoding: text, as: UTF8.self)
    lastObject = objects[object] ?? object
    objects[object] = lastObject
    return lastObject
  }

  /// A place in a line.
  ///
  /// Unsafe for speed. Sound because it never goes past the buffer, whose owner keeps it meanwhile.
  private struct Cursor {
    var rest: UnsafeRawBufferPointer

    private mutating func skip(_ count: Int) {
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }

    /// Goes over a text, if it stands here.
    mutating func take(_ text: StaticString) -> Bool {
      let count = text.utf8CodeUnitCount
      guard rest.count >= count, memcmp(rest.baseAddress!, text.utf8Start, count) == 0 else {
        return false
      }
      skip(count)
      return true
    }

    /// The text up to a closing quote; nil where something in it is escaped.
    mutating func text() -> UnsafeRawBufferPointer? {
      guard let start = rest.baseAddress, let quote = memchr(start, 0x22, rest.count) else {
        return nil
      }
      let text = UnsafeRawBufferPointer(rebasing: rest[..<(UnsafeRawPointer(quote) - start)])
      guard memchr(start, 0x5c, text.count) == nil else { return nil }
      skip(text.count + 1)
      return text
    }

    /// A string or null, which is the inner nil; the outer one is neither.
    mutating func optionalText() -> UnsafeRawBufferPointer?? {
      if take("null") { return .some(nil) }
      guard take("\"") else { return nil }
      return text().map { .some($0) }
    }

    mutating func number() -> Int? {
      var value = 0
      var count = 0
      while count < rest.count, count < 18, (0x30...0x39).contains(rest[count]) {
        value = value * 10 + Int(rest[count] - 0x30)
        count += 1
      }
      guard count > 0 else { return nil }
      skip(count)
      return value
    }

    /// A number or null, which is the inner nil; the outer one is neither.
    mutating func optionalNumber() -> Int?? {
      take("null") ? .some(nil) : number().map { .some($0) }
    }
  }
}
