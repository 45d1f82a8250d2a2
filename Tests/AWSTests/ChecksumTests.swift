import AWS
import Foundation
import NIOHTTP1
import Testing

struct ChecksumTests {
  /// The check values of the catalogue of CRC algorithms: of the nine digits.
  @Test(arguments: [
    (CyclicChecksum.Kind.crc32, [0xCB, 0xF4, 0x39, 0x26] as [UInt8]),
    (.crc32c, [0xE3, 0x06, 0x92, 0x83]),
    (.crc64nvme, [0xAE, 0x8B, 0x14, 0x86, 0x0A, 0x79, 0x98, 0x88]),
  ])
  func `a checksum has its check value`(_ kind: CyclicChecksum.Kind, expected: [UInt8]) {
    var checksum = CyclicChecksum(kind)
    Array("123456789".utf8).withUnsafeBytes { checksum.update($0) }
    #expect(checksum.bytes == expected)
  }

  @Test(arguments: CyclicChecksum.Kind.allCases)
  func `a checksum does not depend on the pieces`(_ kind: CyclicChecksum.Kind) {
    let bytes = (0..<10_007).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }
    var whole = CyclicChecksum(kind)
    bytes.withUnsafeBytes { whole.update($0) }
    var pieces = CyclicChecksum(kind)
    var start = 0
    for length in [1, 3, 7, 8, 9, 100, 4096, 5783] {
      bytes.withUnsafeBytes {
        pieces.update(UnsafeRawBufferPointer(rebasing: $0[start..<start + length]))
      }
      start += length
    }
    #expect(start == bytes.count && pieces.bytes == whole.bytes)
  }

  /// One bit after the other, as the definition has it.
  private static func bitwise(
    _ bytes: some Sequence<UInt8>, _ polynomial: UInt64, _ ones: UInt64
  ) -> UInt64 {
    var state = ones
    for byte in bytes {
      state ^= UInt64(byte)
      for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ polynomial : state >> 1 }
    }
    return state ^ ones
  }

  @Test(arguments: [
    (CyclicChecksum.Kind.crc32, 0xEDB8_8320 as UInt64, 0xFFFF_FFFF as UInt64),
    (.crc32c, 0x82F6_3B78, 0xFFFF_FFFF), (.crc64nvme, 0x9A6C_9329_AC4B_C9B5, .max),
  ])
  func `a checksum is right at every length`(
    _ kind: CyclicChecksum.Kind, polynomial: UInt64, ones: UInt64
  ) {
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<1100).map { _ in UInt8.random(in: 0...255, using: &random) }
    for start in 0..<3 {
      for end in start..<bytes.count {
        var checksum = CyclicChecksum(kind)
        bytes.withUnsafeBytes {
          checksum.update(UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
        let expected = Self.bitwise(bytes[start..<end], polynomial, ones)
        #expect(checksum.bytes.reduce(0) { $0 << 8 | UInt64($1) } == expected)
      }
    }
  }

  private static let hello = Array("hello".utf8)

  /// Of `hello`.
  @Test(arguments: [
    ("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-crc32c", "mnG7TA=="),
    ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
    ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
    ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
  ])
  func `a body is checked by what the server sends`(_ name: String, value: String) throws {
    var right = try #require(BodyChecksum([name: value]))
    Self.hello.withUnsafeBytes { right.update($0) }
    #expect(right.isRight)
    var wrong = try #require(BodyChecksum([name: value]))
    Array("hellp".utf8).withUnsafeBytes { wrong.update($0) }
    #expect(!wrong.isRight)
  }

  @Test func `an ETag is not always a checksum`() {
    let tag = "\"5d41402abc4b2a76b9719d911017c592\""
    #expect(BodyChecksum(["etag": "\"5d41402abc4b2a76b9719d911017c592-3\""]) == nil)
    #expect(BodyChecksum(["etag": tag, "x-amz-server-side-encryption": "aws:kms"]) == nil)
    #expect(BodyChecksum(["etag": tag, "x-amz-server-side-encryption": "AES256"]) != nil)
    #expect(BodyChecksum(["x-amz-checksum-crc32": "NhCmhg==-3"]) == nil)
  }
}
