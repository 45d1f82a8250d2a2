import Parquet
import Testing

@Suite("Thrift compact protocol")
struct ThriftCompactWriterTests {
  private func bytes(_ body: (inout ThriftCompactWriter) -> Void) -> [UInt8] {
    var writer = ThriftCompactWriter()
    writer.element(structure: body)
    return Array(writer.bytes)
  }

  @Test("fields are numbered by their step from the last, and far ones in full")
  func headers() {
    #expect(
      bytes {
        $0.field(1, Int32(1))
        $0.field(16, Int32(-1))
        $0.field(32, Int32(2))
        $0.field(3, true)
        $0.field(4, false)
      } == [0x15, 0x02, 0xF5, 0x01, 0x05, 0x40, 0x04, 0x01, 0x06, 0x12, 0x00])
  }

  @Test("numbers are zigzag varints of up to ten bytes")
  func numbers() {
    #expect(bytes { $0.field(1, Int64(-64)) } == [0x16, 0x7F, 0])
    #expect(bytes { $0.field(1, Int64(64)) } == [0x16, 0x80, 0x01, 0])
    let ones = [UInt8](repeating: 0xFF, count: 9)
    #expect(bytes { $0.field(1, Int64.min) } == [0x16] + ones + [0x01, 0])
    #expect(bytes { $0.field(1, Int64.max) } == [0x16, 0xFE] + ones.dropLast() + [0x01, 0])
    #expect(bytes { $0.field(1, Int32.min) } == [0x15] + ones.prefix(4) + [0x0F, 0])
    #expect(bytes { $0.field(1, int16: -2) } == [0x14, 0x03, 0])
  }

  @Test("texts and bytes have their length before them")
  func texts() {
    #expect(bytes { $0.field(1, "é") } == [0x18, 2, 0xC3, 0xA9, 0])
    #expect(bytes { $0.field(2, [UInt8]()) } == [0x28, 0, 0])
  }

  @Test("a structure inside counts its fields anew, and the outer one goes on")
  func nesting() {
    #expect(
      bytes {
        $0.field(5, structure: { $0.field(1, Int32(0)) })
        $0.field(6, Int32(0))
      } == [0x5C, 0x15, 0x00, 0x00, 0x15, 0x00, 0x00])
  }

  @Test("lists of fifteen and more have their length in full")
  func lists() {
    let short = bytes {
      $0.field(2, listOf: .int32, count: 2)
      $0.element(3)
      $0.element(-3)
    }
    #expect(short == [0x29, 0x25, 0x06, 0x05, 0])
    let long = bytes {
      $0.field(1, listOf: .binary, count: 200)
      for _ in 0..<200 { $0.element("") }
    }
    #expect(long == [0x19, 0xF8, 0xC8, 0x01] + Array(repeating: 0, count: 200) + [0])
  }
}
