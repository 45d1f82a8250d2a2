/// A prefix code for ASCII texts, and texts written in it, as zstd has them: RFC 8878, section 4.2.
///
/// Made anew from a sample of what it is to write, so it may lack a byte of it: then nothing is
/// written, and the caller takes another way.
///
/// Pointers instead of arrays, for the loop: sound, since the tables have a place for whatever two
/// bytes are read.
struct HuffmanCode: ~Copyable {
  /// Bytes with a code are below this: so each has its place in the shortest form of a tree.
  static let symbolLimit = 128
  /// The longest code in bits: eight of them and what is left of a byte fit in one word. Enough for
  /// as many symbols.
  private static let longestCode = 7

  /// For two bytes, read as one little-endian number: the bits of both codes, then `known`, and in
  /// the highest byte how many bits they are. Zero where one of them has no code. Only places of
  /// bytes in use are touched, so that the part which is looked at stays small.
  private let pairs: UnsafeMutablePointer<UInt32>
  /// The same for one byte.
  private let singles: UnsafeMutablePointer<UInt32>
  /// The bytes that have codes.
  private var symbols: [UInt8] = []
  /// How the tree is told to the decoder.
  private(set) var tree: [UInt8] = []

  private static let known: UInt32 = 1 << 16
  private static let lengthShift: UInt32 = 24

  init() {
    pairs = .allocate(capacity: 1 << 16)
    pairs.initialize(repeating: 0, count: 1 << 16)
    singles = .allocate(capacity: 1 << 8)
    singles.initialize(repeating: 0, count: 1 << 8)
  }

  deinit {
    pairs.deallocate()
    singles.deallocate()
  }

  /// Makes the best code for bytes that occur so often; false, and there is none, if it cannot be
  /// told in the short form, or would be of one byte.
  mutating func build(counts: [Int]) -> Bool {
    for first in symbols {
      singles[Int(first)] = 0
      for second in symbols { pairs[Int(first) | Int(second) << 8] = 0 }
    }
    symbols = counts.indices.filter { counts[$0] > 0 }.map { UInt8(truncatingIfNeeded: $0) }
    guard symbols.count > 1, let last = symbols.last, last < Self.symbolLimit else {
      symbols = []
      return false
    }
    let lengths = Self.codeLengths(symbols.map { counts[Int($0)] })
    let longest = lengths.max() ?? 0
    // Canonical: the longest codes first, from 0, and among equals the lower byte.
    var codes = Array(repeating: UInt32(0), count: symbols.count)
    var next: UInt32 = 0
    for length in stride(from: longest, to: 0, by: -1) {
      for index in symbols.indices where lengths[index] == length {
        codes[index] = next
        next += 1
      }
      next >>= 1
    }
    for (i, first) in symbols.enumerated() {
      let length = UInt32(lengths[i])
      singles[Int(first)] = Self.known | length << Self.lengthShift | codes[i]
      for (j, second) in symbols.enumerated() {
        // What is read last is written first.
        let bits = codes[j] | codes[i] << UInt32(lengths[j])
        pairs[Int(first) | Int(second) << 8] =
          Self.known | (length + UInt32(lengths[j])) << Self.lengthShift | bits
      }
    }
    tree = Self.tree(symbols, lengths, longest)
    return true
  }

  /// Writes `count` bytes as four streams behind a table of their lengths; gives the end, or nil if
  /// a byte has no code. Up to 8 bytes past the end are touched.
  ///
  /// No more bytes are written than there are literals, and 16. Reads nothing past the literals.
  func encode(
    _ literals: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    let part = (count + 3) / 4
    var end = target + 6
    for stream in 0..<4 {
      let first = min(count, stream * part)
      let start = end
      guard let written = encode(literals + first, min(part, count - first), to: start) else {
        return nil
      }
      end = written
      if stream < 3 {
        guard let length = UInt16(exactly: end - start) else { return nil }
        target.storeBytes(of: length.littleEndian, toByteOffset: stream * 2, as: UInt16.self)
      }
    }
    return end
  }

  /// Writes one stream: from its last byte to its first, since it is read from its end.
  @inline(__always)
  private func encode(
    _ start: UnsafePointer<UInt8>, _ count: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    let pairs = pairs
    let source = UnsafeRawPointer(start)
    var out = target
    var place = count
    var word: UInt64 = 0
    var filled: UInt64 = 0
    var allKnown = Self.known
    if count & 1 == 1 {
      place &-= 1
      let entry = singles[Int(start[place])]
      allKnown &= entry
      word = Self.bits(entry)
      filled = Self.length(entry)
    }
    while place >= 8 {
      place &-= 8
      let d = pairs[Int(source.loadUnaligned(fromByteOffset: place &+ 6, as: UInt16.self))]
      let c = pairs[Int(source.loadUnaligned(fromByteOffset: place &+ 4, as: UInt16.self))]
      let b = pairs[Int(source.loadUnaligned(fromByteOffset: place &+ 2, as: UInt16.self))]
      let a = pairs[Int(source.loadUnaligned(fromByteOffset: place, as: UInt16.self))]
      allKnown &= a & b & c & d
      let cd = Self.bits(d) | Self.bits(c) &<< Self.length(d)
      let ab = Self.bits(b) | Self.bits(a) &<< Self.length(b)
      let cdLength = Self.length(c) &+ Self.length(d)
      word |= (cd | ab &<< cdLength) &<< filled
      filled &+= cdLength &+ Self.length(a) &+ Self.length(b)
      out.storeBytes(of: word.littleEndian, as: UInt64.self)
      out += Int(truncatingIfNeeded: filled &>> 3)
      word &>>= filled & ~7
      filled &= 7
    }
    while place > 0 {
      place &-= 2
      let entry = pairs[Int(source.loadUnaligned(fromByteOffset: place, as: UInt16.self))]
      allKnown &= entry
      word |= Self.bits(entry) &<< filled
      filled &+= Self.length(entry)
    }
    guard allKnown != 0 else { return nil }
    // A one ends it; the rest of the byte is zero.
    word |= 1 &<< filled
    out.storeBytes(of: word.littleEndian, as: UInt64.self)
    return out + Int(truncatingIfNeeded: filled &>> 3) + 1
  }

  @inline(__always)
  private static func bits(_ entry: UInt32) -> UInt64 {
    UInt64(UInt16(truncatingIfNeeded: entry))
  }

  @inline(__always)
  private static func length(_ entry: UInt32) -> UInt64 { UInt64(entry &>> lengthShift) }

  /// The lengths of the best code none of whose parts is longer than `longestCode`: by
  /// package-merge (Larmore and Hirschberg, 1990).
  private static func codeLengths(_ counts: [Int]) -> [Int] {
    typealias Package = (count: Int, members: [Int])
    let coins = counts.indices.map { Package(counts[$0], [$0]) }.sorted { $0.count < $1.count }
    var row: [Package] = []
    for _ in 0..<longestCode {
      let packages = stride(from: 0, to: row.count - 1, by: 2).map {
        Package(row[$0].count + row[$0 + 1].count, row[$0].members + row[$0 + 1].members)
      }
      row = (coins + packages).sorted { $0.count < $1.count }
    }
    var lengths = Array(repeating: 0, count: counts.count)
    for package in row.prefix(2 * counts.count - 2) {
      for member in package.members { lengths[member] += 1 }
    }
    return lengths
  }

  /// The direct form: how many weights there are, then four bits each; the last byte's follows from
  /// the others.
  private static func tree(_ symbols: [UInt8], _ lengths: [Int], _ longest: Int) -> [UInt8] {
    var weights = Array(repeating: UInt8(0), count: Int(symbols[symbols.count - 1]))
    for (index, symbol) in symbols.dropLast().enumerated() {
      weights[Int(symbol)] = UInt8(longest + 1 - lengths[index])
    }
    if weights.count % 2 == 1 { weights.append(0) }
    let packed = stride(from: 0, to: weights.count, by: 2).map {
      weights[$0] << 4 | weights[$0 + 1]
    }
    return [127 + symbols[symbols.count - 1]] + packed
  }
}
