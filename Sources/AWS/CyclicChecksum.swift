import CChecksum

/// The checksums of S3 that are cyclic redundancy checks.
///
/// Folds 64 bytes at a time where the processor can multiply without carries; elsewhere, and for what
/// is left, looks sixteen bytes at a time up in tables.
///
/// Not sendable: one task computes.
package struct CyclicChecksum {
  package enum Kind: String, CaseIterable {
    /// S3's own default since 2024.
    case crc64nvme
    case crc32c
    case crc32

    /// Bit-reversed.
    fileprivate var polynomial: UInt64 {
      switch self {
      case .crc64nvme: 0x9A6C_9329_AC4B_C9B5
      case .crc32c: 0x82F6_3B78
      case .crc32: 0xEDB8_8320
      }
    }

    fileprivate var ones: UInt64 { self == .crc64nvme ? .max : 0xFFFF_FFFF }

    fileprivate var byteCount: Int { self == .crc64nvme ? 8 : 4 }

    fileprivate var tables: [UInt64] {
      switch self {
      case .crc64nvme: Self.nvme
      case .crc32c: Self.castagnoli
      case .crc32: Self.ieee
      }
    }

    fileprivate var powers: [UInt64] {
      switch self {
      case .crc64nvme: Self.nvmePowers
      case .crc32c: Self.castagnoliPowers
      case .crc32: Self.ieeePowers
      }
    }

    private static let nvmePowers = Self.crc64nvme.makePowers()
    private static let castagnoliPowers = Self.crc32c.makePowers()
    private static let ieeePowers = Self.crc32.makePowers()

    /// Those of x that folding multiplies by.
    private func makePowers() -> [UInt64] {
      [575, 511, 191, 127].map { exponent in
        let bitCount = 8 * byteCount
        var value: UInt64 = 1 << (bitCount - 1)
        for _ in 0..<exponent { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        return value << (64 - bitCount)
      }
    }

    private static let nvme = Self.crc64nvme.makeTables()
    private static let castagnoli = Self.crc32c.makeTables()
    private static let ieee = Self.crc32.makeTables()

    /// Table `t` tells what a byte does that `t` further bytes follow.
    private func makeTables() -> [UInt64] {
      var tables = [UInt64](repeating: 0, count: 16 * 256)
      for byte in 0..<256 {
        var value = UInt64(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        tables[byte] = value
      }
      for index in 256..<tables.count {
        let before = tables[index - 256]
        tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
      }
      return tables
    }
  }

  let kind: Kind
  private let tables: [UInt64]
  private var state: UInt64

  package init(_ kind: Kind) {
    self.kind = kind
    tables = kind.tables
    state = kind.ones
  }

  private static let folds = can_fold()

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard Self.folds, bytes.count >= 256, let start = bytes.baseAddress else {
      return lookUp(bytes)
    }
    let count = bytes.count & ~63
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { folded in
      fold(start, count, state, kind.powers, folded.baseAddress)
      state = 0
      lookUp(UnsafeRawBufferPointer(folded))
    }
    lookUp(UnsafeRawBufferPointer(rebasing: bytes[count...]))
  }

  private mutating func lookUp(_ bytes: UnsafeRawBufferPointer) {
    var state = state
    tables.withUnsafeBufferPointer { tables in
      var offset = 0
      while offset + 16 <= bytes.count {
        let first =
          state ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let second = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        // Sixteen look-ups that do not wait for each other.
        state =
          Self.look(up: first, in: tables, from: 15) ^ Self.look(up: second, in: tables, from: 7)
        offset += 16
      }
      while offset < bytes.count {
        state = state >> 8 ^ tables[Int((state ^ UInt64(bytes[offset])) & 0xFF)]
        offset += 1
      }
    }
    self.state = state
  }

  /// What eight bytes do, the first of which `table` further bytes follow.
  @inline(__always)
  private static func look(
    up word: UInt64, in tables: UnsafeBufferPointer<UInt64>, from table: Int
  ) -> UInt64 {
    let start = table << 8
    let low =
      tables[start + Int(word & 0xFF)] ^ tables[start - 0x100 + Int(word >> 8 & 0xFF)]
      ^ tables[start - 0x200 + Int(word >> 16 & 0xFF)]
      ^ tables[start - 0x300 + Int(word >> 24 & 0xFF)]
    let high =
      tables[start - 0x400 + Int(word >> 32 & 0xFF)]
      ^ tables[start - 0x500 + Int(word >> 40 & 0xFF)]
      ^ tables[start - 0x600 + Int(word >> 48 & 0xFF)] ^ tables[start - 0x700 + Int(word >> 56)]
    return low ^ high
  }

  /// Of what was seen so far, most significant byte first.
  package var bytes: [UInt8] {
    let value = state ^ kind.ones
    return (0..<kind.byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// As S3's headers have it.
  var base64: String { Base64.encode(bytes) }

  static func base64(_ kind: Kind, of bytes: UnsafeRawBufferPointer) -> String {
    var checksum = CyclicChecksum(kind)
    checksum.update(bytes)
    return checksum.base64
  }
}
