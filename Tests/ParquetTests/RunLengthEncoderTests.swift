import Parquet
import Testing

@Suite("Bit packing and runs")
struct RunLengthEncoderTests {
  /// Reads the hybrid back by the letter of the specification, a bit at a time.
  private func decoded(_ bytes: [UInt8], count: Int, bitWidth: Int) -> [UInt32] {
    var values: [UInt32] = []
    var place = 0
    while place < bytes.count {
      var header: UInt64 = 0
      var shift: UInt64 = 0
      repeat {
        header |= UInt64(bytes[place] & 0x7F) << shift
        shift += 7
        place += 1
      } while bytes[place - 1] & 0x80 != 0
      if header & 1 == 0 {
        var value: UInt32 = 0
        for i in 0..<((bitWidth + 7) / 8) { value |= UInt32(bytes[place + i]) << UInt32(8 * i) }
        place += (bitWidth + 7) / 8
        values.append(contentsOf: repeatElement(value, count: Int(header >> 1)))
      } else {
        let valueCount = Int(header >> 1) * 8
        values.append(contentsOf: unpacked(bytes[place...], count: valueCount, bitWidth))
        place += valueCount / 8 * bitWidth
      }
    }
    #expect(values.count >= count && values.count < count + 8)
    #expect(values.dropFirst(count).allSatisfy { $0 == 0 })
    return Array(values.prefix(count))
  }

  private func unpacked(_ bytes: ArraySlice<UInt8>, count: Int, _ bitWidth: Int) -> [UInt32] {
    (0..<count).map { i in
      (0..<bitWidth).reduce(UInt32(0)) { value, bit in
        let place = i * bitWidth + bit
        let isSet = bytes[bytes.startIndex + place / 8] >> UInt8(place % 8) & 1 == 1
        return isSet ? value | 1 << UInt32(bit) : value
      }
    }
  }

  private func encoded(_ values: [UInt32], bitWidth: Int) -> [UInt8] {
    var buffer = ByteBuffer()
    let bound = RunLengthEncoder.bound(values.count, bitWidth: bitWidth)
    buffer.reserve(bound)
    buffer.count = RunLengthEncoder.encode(
      indexes: values, count: values.count, bitWidth: bitWidth, to: buffer.start)
    #expect(buffer.count <= bound)
    return Array(buffer.bytes)
  }

  @Test("numbers of every width come back", arguments: 1...32)
  func widths(bitWidth: Int) {
    var generator = SeededGenerator(seed: UInt64(bitWidth))
    let limit = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(bitWidth)) - 1)
    for count in [1, 7, 8, 9, 16, 63, 200] {
      let values = (0..<count).map { _ in UInt32.random(in: 0...limit, using: &generator) }
      #expect(
        decoded(encoded(values, bitWidth: bitWidth), count: count, bitWidth: bitWidth) == values)
    }
  }

  @Test("runs between other numbers come back", arguments: [1, 2, 3, 7, 8, 9, 16, 17, 20])
  func runs(bitWidth: Int) {
    var generator = SeededGenerator(seed: 1000 + UInt64(bitWidth))
    for _ in 0..<60 {
      var values: [UInt32] = []
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let value = UInt32.random(in: 0..<(1 << UInt32(bitWidth)), using: &generator)
        let length = Int.random(
          in: 1...[2, 30, 700].randomElement(using: &generator)!, using: &generator)
        values.append(contentsOf: repeatElement(value, count: length))
      }
      let bytes = encoded(values, bitWidth: bitWidth)
      let isSame = decoded(bytes, count: values.count, bitWidth: bitWidth) == values
      #expect(isSame)
    }
  }

  @Test("a column of one value is one run")
  func oneRun() {
    #expect(encoded(Array(repeating: 5, count: 1003), bitWidth: 3) == [0xD0, 0x0F, 5, 0x06, 5])
    #expect(encoded(Array(repeating: 5, count: 1000), bitWidth: 3) == [0xD0, 0x0F, 5])
    #expect(encoded([9], bitWidth: 4) == [0x02, 9])
  }

  @Test("the specification's example of packed bits is met")
  func example() {
    // Encodings: the numbers 0 to 7 of 3 bits are 10001000 11000110 11111010.
    #expect(encoded(Array(0...7), bitWidth: 3) == [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010])
  }

  @Test("levels come back, and any byte but zero is a value")
  func levels() {
    var generator = SeededGenerator(seed: 77)
    for round in 0..<200 {
      let count = Int.random(in: 1...900, using: &generator)
      var validity: [UInt8] = []
      while validity.count < count {
        let value: UInt8 =
          Bool.random(using: &generator) ? 0 : .random(in: 1...255, using: &generator)
        let length = round % 2 == 0 ? 1 : Int.random(in: 1...200, using: &generator)
        validity.append(contentsOf: repeatElement(value, count: length))
      }
      validity = Array(validity.prefix(count))
      var buffer = ByteBuffer()
      buffer.reserve(RunLengthEncoder.bound(count, bitWidth: 1))
      var scratch = [UInt8](repeating: 0xEE, count: count / 8 + 1)
      let result = RunLengthEncoder.encode(
        validity: validity, count: count, scratch: &scratch, to: buffer.start)
      buffer.count = result.byteCount
      let levels = validity.map { UInt32($0 == 0 ? 0 : 1) }
      #expect(decoded(Array(buffer.bytes), count: count, bitWidth: 1) == levels)
      #expect(result.setCount == levels.count { $0 == 1 })
      #expect(BitPacking.countSet(validity, count: count) == result.setCount)
    }
  }

  @Test("the bit width holds the largest index, and is never zero")
  func bitWidths() {
    let limits = [1, 2, 3, 4, 5, 8, 9, 256, 257, 1 << 20]
    #expect(limits.map { BitPacking.bitWidth(below: $0) } == [1, 1, 2, 2, 3, 3, 4, 8, 9, 20])
  }
}
