/// The key of a raw object: where the lake keeps it, by the hour at which it arrived.
///
/// Such as `raw/yyyy=2026/mm=11/dd=23/HH=17/018fd5a0-7c1e-7a3b-9d2e-4f60718293a4.json`, in UTC.
public struct RawObjectKey: Hashable, Comparable, Sendable {
  /// The key's text.
  public let text: String

  /// The key of an object that arrives at `arrivalMicros` (microseconds since
  /// 1970-01-01T00:00:00Z, years 0 to 9999) under a prefix such as `raw`.
  ///
  /// Slashes around the prefix do not count; without a prefix the key starts at `yyyy=`.
  public static func make(prefix: String, arrivalMicros: Int64, uuid: UUIDBits) -> RawObjectKey {
    let days = CivilDate.daysSinceEpoch(ofMicros: arrivalMicros)
    let date = CivilDate(daysSinceEpoch: Int(days))
    precondition((0...9_999).contains(date.year), "an object's year has four digits")
    let hour = (arrivalMicros - days * CivilDate.microsPerDay) / CivilDate.microsPerHour
    let folder = trimmed(prefix)
    let tail = String(unsafeUninitializedCapacity: maximumTailBytes) { buffer in
      // Sound: the puts below write 72 bytes, and the buffer has room for more.
      let start = buffer.baseAddress!
      var cursor = LineCursor(position: start)
      cursor.put(folder.isEmpty ? "yyyy=" : "/yyyy=")
      cursor.putTwoDigits(UInt32(date.year / 100))
      cursor.putTwoDigits(UInt32(date.year % 100))
      cursor.put("/mm=")
      cursor.putTwoDigits(UInt32(date.month))
      cursor.put("/dd=")
      cursor.putTwoDigits(UInt32(date.day))
      cursor.put("/HH=")
      cursor.putTwoDigits(UInt32(hour))
      cursor.put("/")
      cursor.put(uuid)
      cursor.put(".json")
      return cursor.position - start
    }
    return RawObjectKey(text: folder + tail)
  }

  private static let maximumTailBytes = 80

  /// Orders keys by their bytes, as object stores list them.
  public static func < (left: RawObjectKey, right: RawObjectKey) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  private static func trimmed(_ prefix: String) -> String {
    guard prefix.utf8.first == UInt8(ascii: "/") || prefix.utf8.last == UInt8(ascii: "/") else {
      return prefix
    }
    return String(prefix.drop { $0 == "/" }.reversed().drop { $0 == "/" }.reversed())
  }
}

extension RawObjectKey: CustomStringConvertible {
  /// The same as ``text``.
  public var description: String { text }
}
