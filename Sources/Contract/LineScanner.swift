/// Reads one line as JSON: its own object into members, the containers inside only for soundness.
///
/// Knows the contract's names, so that each member comes with its field; judges nothing else. Its
/// pointers are its own: what is behind `members` is valid until the next scan.
struct LineScanner: ~Copyable {
  enum Outcome {
    case object
    case notAnObject
    case malformed
    case tooDeep
    case unpairedSurrogate
  }

  let names: FieldNames
  let fieldCount: Int
  /// The members of the last object, in the line's order.
  private(set) var members: UnsafeMutablePointer<Member>
  private(set) var count = 0
  private var capacity = 64
  /// For each field of the contract the index of its member, or -1.
  let memberOfField: UnsafeMutablePointer<Int32>
  /// Members whose name is no field's.
  private(set) var unknownCount = 0
  /// Whether a field of the contract has two members. Unknown names are not compared here.
  private(set) var hasTwinField = false
  private var scratch = ByteBuffer(capacity: 256)

  init(fieldNames: [String]) {
    names = FieldNames(fieldNames)
    fieldCount = fieldNames.count
    members = .allocate(capacity: capacity)
    members.initialize(repeating: Member(), count: capacity)
    memberOfField = .allocate(capacity: max(1, fieldCount))
    memberOfField.initialize(repeating: -1, count: max(1, fieldCount))
  }

  deinit {
    members.deallocate()
    memberOfField.deallocate()
  }

  /// Reads the line `start ..< end`, which must be valid UTF-8, at most 4 GiB, and followed by
  /// what `JSONScanner` asks for.
  mutating func scan(_ start: Bytes, _ end: Bytes) -> Outcome {
    count = 0
    unknownCount = 0
    hasTwinField = false
    memberOfField.update(repeating: -1, count: fieldCount)
    var scanner = JSONScanner()
    var p = JSONScanner.skipBlanks(start)

    guard p.pointee == UInt8(ascii: "{") else {
      guard let last = scanner.value(p, level: 0) else { return Self.outcome(of: scanner) }
      return JSONScanner.skipBlanks(last) >= end ? .notAnObject : .malformed
    }

    p = JSONScanner.skipBlanks(p + 1)
    if p.pointee == UInt8(ascii: "}") {
      return JSONScanner.skipBlanks(p + 1) >= end ? .object : .malformed
    }
    var previous = 0
    while true {
      guard p.pointee == UInt8(ascii: "\"") else { return .malformed }
      if count == capacity { grow() }
      let member = members + count
      member.pointee.nameStart = Self.offset(p, start)
      member.pointee.isNameEscaped = false
      member.pointee.isValueEscaped = false
      member.pointee.isRescued = false
      p += 1

      var field = names.follower(of: previous)
      if names.matches(p, field: field) {
        p += names.length(of: field) + 1
      } else {
        var isEscaped = false
        guard let close = scanner.string(p, isEscaped: &isEscaped) else {
          return Self.outcome(of: scanner)
        }
        if isEscaped {
          member.pointee.isNameEscaped = true
          field = findEscaped(p, close)
        } else {
          field = names.find(p, length: close - p)
        }
        if field >= 0 { names.learn(field, after: previous) }
        p = close + 1
      }
      member.pointee.nameEnd = Self.offset(p, start)
      member.pointee.field = Int32(truncatingIfNeeded: field)
      if field >= 0 {
        if memberOfField[field] >= 0 { hasTwinField = true }
        memberOfField[field] = Int32(truncatingIfNeeded: count)
        previous = field + 1
      } else {
        unknownCount += 1
      }
      count += 1

      p = JSONScanner.skipBlanks(p)
      guard p.pointee == UInt8(ascii: ":") else { return .malformed }
      p = JSONScanner.skipBlanks(p + 1)
      member.pointee.valueStart = Self.offset(p, start)
      switch p.pointee {
      case UInt8(ascii: "\""):
        var isEscaped = false
        guard let close = scanner.string(p + 1, isEscaped: &isEscaped) else {
          return Self.outcome(of: scanner)
        }
        member.pointee.kind = .string
        member.pointee.isValueEscaped = isEscaped
        p = close + 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard let last = member.pointee.number.read(p) else { return .malformed }
        member.pointee.kind = .number
        p = last
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard let last = scanner.value(p, level: 1) else { return Self.outcome(of: scanner) }
        member.pointee.kind = .container
        p = last
      default:
        guard let last = scanner.literal(p) else { return .malformed }
        member.pointee.kind =
          switch p.pointee {
          case UInt8(ascii: "t"): .true
          case UInt8(ascii: "f"): .false
          default: .null
          }
        p = last
      }
      member.pointee.valueEnd = Self.offset(p, start)

      p = JSONScanner.skipBlanks(p)
      if p.pointee == UInt8(ascii: ",") {
        p = JSONScanner.skipBlanks(p + 1)
        continue
      }
      guard p.pointee == UInt8(ascii: "}") else { return .malformed }
      return JSONScanner.skipBlanks(p + 1) >= end ? .object : .malformed
    }
  }

  @inline(__always)
  private static func offset(_ p: Bytes, _ start: Bytes) -> UInt32 {
    UInt32(truncatingIfNeeded: p - start)
  }

  private static func outcome(of scanner: borrowing JSONScanner) -> Outcome {
    switch scanner.fault {
    case .tooDeep: .tooDeep
    case .unpairedSurrogate: .unpairedSurrogate
    default: .malformed
    }
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<Member>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: members, count: count)
    (larger + count).initialize(repeating: Member(), count: capacity * 2 - count)
    members.deallocate()
    members = larger
    capacity *= 2
  }

  @inline(never)
  private mutating func findEscaped(_ start: Bytes, _ close: Bytes) -> Int {
    scratch.count = 0
    scratch.reserve(close - start + 1)
    let size = JSONScanner.unescape(from: start, to: close, into: scratch.start)
    scratch.start[size] = UInt8(ascii: "\"")
    return names.find(scratch.start, length: size)
  }
}
