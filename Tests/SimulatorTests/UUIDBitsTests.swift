import Foundation
import Simulator
import Testing

@Suite("UUIDs")
struct UUIDBitsTests {
  @Test("the text is that of RFC 9562, in lower case")
  func text() {
    let bits = UUIDBits(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)
    #expect(bits.text == "01234567-89ab-cdef-fedc-ba9876543210")
    #expect(bits.text == UUID(uuidString: bits.text)?.uuidString.lowercased())
  }

  @Test("version 4 has its version and variant and 122 bits of the maker's")
  func version4() {
    #expect(UUIDBits.version4(high: .max, low: .max).text == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    #expect(UUIDBits.version4(high: 0, low: 0).text == "00000000-0000-4000-8000-000000000000")
  }

  @Test("version 7 is the example of RFC 9562, appendix A.6")
  func version7() {
    let bits = UUIDBits.version7(
      timestampMillis: 0x017f_22e2_79b0, counter: 0xcc3, random: 0x18c4_dc0c_0c07_398f)
    #expect(bits.text == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
  }

  @Test("a sequence rises within a millisecond, past a full counter, and when the clock goes back")
  func sequenceRises() {
    var random = SeededRandom(seed: 1)
    var sequence = ObjectIDSequence()
    let times = Array(repeating: 5_000, count: 10_000) + [4_000, 4_999, 5_001, 6_000, 5_999, 7_000]
    var last = UUIDBits(high: 0, low: 0)
    for time in times {
      let id = sequence.next(atMillis: UInt64(time), using: &random)
      #expect(last < id)
      #expect(last.text < id.text)
      #expect(id.high >> 12 & 0xf == 7)
      #expect(id.low >> 62 == 0b10)
      #expect(id.high >> 16 >= UInt64(time))
      last = id
    }
    #expect(last.high >> 16 == 7_000)
  }
}
