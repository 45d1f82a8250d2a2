/// Records of quarantined lines, ready to be written: NDJSON, in the order of the lines.
///
/// A record is `{"reason":…,"source_object":…,"line":…,"byte_offset":…,"byte_length":…,"raw":…}`,
/// with `raw_base64` in place of `raw` where the bytes are not UTF-8. The line is the
/// `byte_length` bytes from `byte_offset` on of its object's text; `raw` is all of it, or of a
/// `line_too_long` its first 64 KiB. `QuarantineRecord` reads a record back.
public final class QuarantineBuffer {
  /// How much of a line that is too long a record keeps.
  public static let longestExcerptBytes = 64 * 1024

  /// How many records `bytes` holds.
  public private(set) var recordCount = 0
  private var buffer = ByteBuffer(capacity: 4096)
  /// The key of the object that the next records come from, as a JSON string.
  private var sourceObject: [UInt8] = []

  init() {}

  /// The records since the last `removeAll`, each with its line feed. Valid until the next record
  /// or `removeAll`.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: buffer.start, count: buffer.count)
  }

  /// Bytes of all records.
  public var sizeBytes: Int { buffer.count }

  /// Forgets the records, once they are written elsewhere.
  public func removeAll(keepingCapacity: Bool = true) {
    recordCount = 0
    buffer.removeAll(keepingCapacity: keepingCapacity)
  }

  func begin(sourceObject key: String) {
    var quoted = ByteBuffer(capacity: key.utf8.count + 16)
    defer { extendLifetime(quoted) }
    for byte in key.utf8 { Self.appendEscaped(byte, to: &quoted) }
    sourceObject = Array(UnsafeBufferPointer(start: quoted.start, count: quoted.count))
  }

  /// Adds a record. `start ..< start + count` is what is kept of the line.
  @inline(never)
  func append(
    _ reason: QuarantineReason, line: Int64, byteOffset: Int64, byteLength: Int64,
    raw start: Bytes, count: Int
  ) {
    buffer.append("{\"reason\":\"")
    for byte in reason.rawValue.utf8 { buffer.append(byte) }
    buffer.append("\",\"source_object\":\"")
    for byte in sourceObject { buffer.append(byte) }
    buffer.append("\",\"line\":")
    buffer.append(decimal: line)
    buffer.append(",\"byte_offset\":")
    buffer.append(decimal: byteOffset)
    buffer.append(",\"byte_length\":")
    buffer.append(decimal: byteLength)
    if UTF8Check.isValid(from: start, to: start + count) {
      buffer.append(",\"raw\":\"")
      // Six bytes are the most that one byte becomes.
      buffer.reserve(count)
      for i in 0..<count { Self.appendEscaped(start[i], to: &buffer) }
    } else {
      buffer.append(",\"raw_base64\":\"")
      buffer.reserve((count + 2) / 3 * 4)
      Base64.append(start, count: count, to: &buffer)
    }
    buffer.append("\"}\n")
    recordCount += 1
  }

  /// Appends one byte of a JSON string, escaped where RFC 8259, section 7, asks for it.
  private static func appendEscaped(_ byte: UInt8, to target: inout ByteBuffer) {
    switch byte {
    case UInt8(ascii: "\""): target.append("\\\"")
    case UInt8(ascii: "\\"): target.append("\\\\")
    case 0x09: target.append("\\t")
    case 0x0A: target.append("\\n")
    case 0x0D: target.append("\\r")
    case 0..<0x20:
      target.append("\\u00")
      target.append(UInt8(ascii: "0") + byte >> 4)
      let low = byte & 0xF
      target.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    default: target.append(byte)
    }
  }
}
