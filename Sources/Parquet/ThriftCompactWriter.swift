/// Writes structures in Thrift's compact protocol, field by field.
///
/// Source: `thrift-compact-protocol.md` of Apache Thrift: field headers hold the step from the last
/// field, numbers are zigzag varints.
package struct ThriftCompactWriter: ~Copyable {
  /// The wire types that Parquet's metadata needs.
  package enum ElementType: UInt8 {
    case int32 = 5
    case int64 = 6
    case binary = 8
    case list = 9
    case structure = 12
  }

  package var buffer = ByteBuffer()
  private var lastField: Int16 = 0

  package init() {}

  package var count: Int { buffer.count }
  package var bytes: UnsafeRawBufferPointer { buffer.bytes }

  package mutating func removeAll() {
    buffer.count = 0
    lastField = 0
  }

  package mutating func field(_ id: Int16, _ value: Int32) {
    header(id, ElementType.int32.rawValue)
    varint(zigzag(Int64(value)))
  }

  package mutating func field(_ id: Int16, _ value: Int64) {
    header(id, ElementType.int64.rawValue)
    varint(zigzag(value))
  }

  package mutating func field(_ id: Int16, int16 value: Int16) {
    header(id, 4)
    varint(zigzag(Int64(value)))
  }

  package mutating func field(_ id: Int16, _ value: Bool) {
    header(id, value ? 1 : 2)
  }

  package mutating func field(_ id: Int16, _ value: String) {
    header(id, ElementType.binary.rawValue)
    element(value)
  }

  package mutating func field(_ id: Int16, _ value: [UInt8]) {
    header(id, ElementType.binary.rawValue)
    value.withUnsafeBytes {
      varint(UInt64($0.count))
      buffer.append($0)
    }
  }

  package mutating func field(_ id: Int16, structure body: (inout Self) -> Void) {
    header(id, ElementType.structure.rawValue)
    element(structure: body)
  }

  /// The head of a list field; its elements follow by the `element` methods.
  package mutating func field(_ id: Int16, listOf type: ElementType, count: Int) {
    header(id, ElementType.list.rawValue)
    if count < 15 {
      buffer.append(UInt8(count) << 4 | type.rawValue)
    } else {
      buffer.append(0xF0 | type.rawValue)
      varint(UInt64(count))
    }
  }

  package mutating func element(_ value: Int32) {
    varint(zigzag(Int64(value)))
  }

  package mutating func element(_ value: String) {
    var value = value
    value.withUTF8 {
      varint(UInt64($0.count))
      buffer.append(UnsafeRawBufferPointer($0))
    }
  }

  /// A structure without a field header: a list's element, or a whole message.
  package mutating func element(structure body: (inout Self) -> Void) {
    let enclosing = lastField
    lastField = 0
    body(&self)
    buffer.append(0)
    lastField = enclosing
  }

  /// Elements that another writer has already laid out.
  package mutating func elements(_ bytes: UnsafeRawBufferPointer) {
    buffer.append(bytes)
  }

  private mutating func header(_ id: Int16, _ type: UInt8) {
    let step = id - lastField
    if (1...15).contains(step) {
      buffer.append(UInt8(step) << 4 | type)
    } else {
      buffer.append(type)
      varint(zigzag(Int64(id)))
    }
    lastField = id
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.append(UInt8(rest))
  }

  private func zigzag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1 ^ value >> 63)
  }
}
