/// The way of lines that are sound, but have no shape that is known: member by member, in any order,
/// each value looked up as it comes.
///
/// Like the way by shapes it takes only what the long way would accept, to the same row. It knows
/// nothing of escapes in names and in the contract's own values, nor of values that break a rule.
extension LineDecoder {
  /// The members without a field that a line may have on this way.
  static let mostUnknown = 16

  /// Whether names come in an order that is worth guessing.
  struct NameOrder {
    /// Names that were not the one that was guessed.
    var misses = 0
    private var lines = 0
    private static let tried = 8
    private static let mostMisses = 4 * tried
    private static let pause = 1024

    /// Whether the next line's names are to be guessed.
    @inline(__always)
    mutating func isTried() -> Bool {
      lines &+= 1
      if lines == Self.tried && misses <= Self.mostMisses || lines == Self.pause {
        lines = 0
        misses = 0
      }
      return lines < Self.tried
    }
  }

  /// A member without a field, by places in its line.
  struct Unknown {
    var nameStart: Bytes
    var nameEnd: Bytes
    var valueStart: Bytes
    var valueEnd: Bytes

    /// The bytes of `"name":value`.
    var size: Int { (nameEnd - nameStart) + 1 + (valueEnd - valueStart) }
  }

  /// Adds the row of a line of sound UTF-8, which `JSONScanner` must be able to read; false, and
  /// nothing has happened, if it has to go the long way.
  @inline(never)
  func readMembers(_ start: Bytes, _ end: Bytes, number: Int64) -> Bool {
    var p = JSONScanner.skipBlanks(start)
    guard p.pointee == UInt8(ascii: "{") else { return false }
    p = JSONScanner.skipBlanks(p + 1)
    let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let found = found
    var seen: UInt64 = 0
    var present: UInt64 = 0
    var unknownCount = 0
    var micros: Int64 = 0
    var day: Int32 = 0
    var previous = 0
    let isOrdered = order.isTried()
    while true {
      guard p.pointee == UInt8(ascii: "\"") else { return false }
      // Where names have an order, reading on need not wait for the end of each.
      var field = -1
      var nameSize = 16
      if isOrdered {
        field = scanner.pointee.names.follower(of: previous)
        if scanner.pointee.names.matches(p + 1, field: field) {
          nameSize = scanner.pointee.names.length(of: field)
        }
      }
      if nameSize >= 16 {
        let block = ByteScan.block(p + 1)
        nameSize = Self.firstHit(ByteScan.words(block .== quote))
        guard nameSize < 16 else { return false }
        let name = keyMasks[nameSize].key(unsafeBitCast(block, to: SIMD2<UInt64>.self))
        field = Int(names.pointee.find(name)) &- 1
        if isOrdered {
          order.misses &+= 1
          if field >= 0 { scanner.pointee.names.learn(field, after: previous) }
        }
      }
      if isOrdered, field >= 0 { previous = field &+ 1 }
      let nameStart = p
      p += nameSize &+ 2
      let nameEnd = p
      if Self.isColonAndBlank(p), p[2] > UInt8(ascii: " ") {
        p += 2
      } else {
        p = JSONScanner.skipBlanks(p)
        guard p.pointee == UInt8(ascii: ":") else { return false }
        p = JSONScanner.skipBlanks(p + 1)
      }
      if field < 0 {
        guard unknownCount < Self.mostUnknown,
          ByteScan.standsUnescaped(nameStart + 1, nameSize)
        else { return false }
        for index in 0..<unknownCount
        where unknown[index].nameEnd - unknown[index].nameStart == nameSize &+ 2
          && ByteScan.equal(unknown[index].nameStart, nameStart, nameSize &+ 2)
        {
          return false
        }
        var scanner = JSONScanner()
        guard let valueEnd = scanner.value(p, level: 1) else { return false }
        unknown[unknownCount] = Unknown(
          nameStart: nameStart, nameEnd: nameEnd, valueStart: p, valueEnd: valueEnd)
        unknownCount &+= 1
        p = valueEnd
      } else {
        let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: field)
        guard seen & bit == 0 else { return false }
        seen |= bit
        if field == contract.idIndex {
          guard p.pointee == UInt8(ascii: "\""),
            let size = ByteScan.plainTextLength(p + 1, within: LineTemplate.longestValue),
            size >= rules[field].minBytes, size <= rules[field].maxBytes
          else { return false }
          found[field].start = p + 1
          found[field].length = size
          present |= bit
          p += size &+ 2
        } else if field == contract.timestampIndex {
          guard p.pointee == UInt8(ascii: "\""),
            let size = instants.pointee.read(p + 1, micros: &micros, day: &day),
            micros >= rules[field].minInteger, micros <= rules[field].maxInteger
          else { return false }
          present |= bit
          p += size &+ 2
        } else {
          switch value(at: p, of: field) {
          case .null: p += 4
          case .some(let size):
            present |= bit
            p += size
          case .none: return false
          }
        }
      }
      if Self.isCommaBlankQuote(p) {
        p += 2
        continue
      }
      p = JSONScanner.skipBlanks(p)
      if p.pointee == UInt8(ascii: ",") {
        p = JSONScanner.skipBlanks(p + 1)
        continue
      }
      guard p.pointee == UInt8(ascii: "}") else { return false }
      break
    }
    let required: UInt64 =
      1 << UInt64(contract.idIndex) | 1 << UInt64(contract.timestampIndex)
    guard JSONScanner.skipBlanks(p + 1) >= end, present & required == required else { return false }
    addRow(
      present, unknownCount: unknownCount, micros: micros, day: day, number: number)
    return true
  }

  /// The usual way from a name to its value.
  @inline(__always)
  private static func isColonAndBlank(_ p: Bytes) -> Bool {
    UnsafeRawPointer(p).loadUnaligned(as: UInt16.self).littleEndian == 0x203A
  }

  /// The usual way from a value to the next name.
  @inline(__always)
  private static func isCommaBlankQuote(_ p: Bytes) -> Bool {
    UnsafeRawPointer(p).loadUnaligned(as: UInt32.self).littleEndian & 0xFF_FFFF == 0x22_202C
  }

  private enum Value {
    case null
    /// Put into `found`; its bytes, quotes included.
    case some(Int)
    case none
  }

  @inline(__always)
  private func value(at p: Bytes, of field: Int) -> Value {
    let rule = rules + field
    let isQuoted = p.pointee == UInt8(ascii: "\"")
    let text = isQuoted ? p + 1 : p
    let block = ByteScan.block(text)
    var size: Int
    if isQuoted {
      guard rule.pointee.kind != .boolean else { return .none }
      let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
      size = Self.firstHit(ByteScan.words(block .== quote))
    } else {
      guard p.pointee &- UInt8(ascii: "0") <= 9 || p.pointee == UInt8(ascii: "-") else {
        return ByteScan.isNull(p) ? .null : .none
      }
      guard rule.pointee.kind != .string, rule.pointee.kind != .timestamp,
        rule.pointee.kind != .boolean
      else { return .none }
      let comma = SIMD16<UInt8>(repeating: UInt8(ascii: ","))
      let brace = SIMD16<UInt8>(repeating: UInt8(ascii: "}"))
      let visible = SIMD16<UInt8>(repeating: UInt8(ascii: "!"))
      let ends = (block .== comma) .| (block .== brace) .| (block .< visible)
      size = Self.firstHit(ByteScan.words(ends))
    }
    guard rule.pointee.isCoded, size < 16 else { return plainValue(text, field, isQuoted) }
    let key = keyMasks[size].key(unsafeBitCast(block, to: SIMD2<UInt64>.self))
    var code = (tables.pointer + field).pointee.find(key)
    if code == 0 {
      // Sound UTF-8 by now: only escapes and what breaks a string stand in the way.
      guard ByteScan.standsUnescaped(text, size), let bits = bits(of: text, size, rule) else {
        return .none
      }
      code = (tables.pointer + field).pointee.insert(
        text, length: size, bits: bits, rows: rows)
      guard code != 0 else {
        spread(field)
        return .none
      }
    }
    found[field].code = code
    return .some(isQuoted ? size &+ 2 : size)
  }

  /// A value that is longer than most, or of a field without codes.
  @inline(never)
  private func plainValue(_ text: Bytes, _ field: Int, _ isQuoted: Bool) -> Value {
    let rule = rules + field
    var number = DecimalText()
    let size: Int
    var numberBits: UInt64?
    if isQuoted {
      guard let length = ByteScan.plainTextLength(text, within: LineTemplate.longestValue) else {
        return .none
      }
      size = length
      if rule.pointee.kind != .string { numberBits = bits(of: text, size, rule) }
    } else {
      guard let end = number.read(text) else { return .none }
      size = end - text
      numberBits = bits(of: number, (text, end), rule)
    }
    if rule.pointee.kind == .string {
      guard size >= rule.pointee.minBytes, size <= rule.pointee.maxBytes else { return .none }
    } else {
      guard let numberBits else { return .none }
      found[field].bits = numberBits
    }
    if rule.pointee.isCoded {
      let table = tables.pointer + field
      var code = table.pointee.find(text, length: size)
      if code == 0 {
        code = table.pointee.insert(
          text, length: size, bits: numberBits ?? 0, rows: rows)
        guard code != 0 else {
          spread(field)
          return .none
        }
      }
      found[field].code = code
    } else {
      found[field].start = text
      found[field].length = size
    }
    return .some(isQuoted ? size + 2 : size)
  }

  /// Adds the row of what was found.
  @inline(__always)
  private func addRow(
    _ present: UInt64, unknownCount: Int, micros: Int64, day: Int32, number: Int64
  ) {
    let header = partitions.header(for: day)
    let row = header.pointee.rowCount
    let columns = header.pointee.columns
    let idIndex = contract.idIndex
    let timestampIndex = contract.timestampIndex
    let fieldCount = scanner.pointee.fieldCount
    var textBytes = 0
    var column = columns
    var rule = rules
    var value = found
    for field in 0..<fieldCount {
      let isPresent = present &>> UInt64(truncatingIfNeeded: field) & 1 == 1
      if rule.pointee.isCoded, isPresent {
        column.pointee.codes[row] = value.pointee.code
      } else if !isPresent {
        column.pointee.setNull(row, rule.pointee.kind)
      } else if field == timestampIndex {
        column.pointee.set(micros, row)
      } else if field == idIndex {
        textBytes &+= column.pointee.append(
          prefixed: value.pointee.start, value.pointee.length, row)
      } else if rule.pointee.kind == .string {
        textBytes &+= column.pointee.append(value.pointee.start, value.pointee.length, row)
      } else {
        column.pointee.set(bits: value.pointee.bits, row, rule.pointee.kind)
      }
      column += 1
      rule += 1
      value += 1
    }
    lastRescued = unknownCount
    if unknownCount > 0 {
      textBytes &+= appendUnknown(unknownCount, to: columns + fieldCount, row)
    }
    header.pointee.endRow(object: objectIndex, line: number, textBytes: textBytes)
  }

  @inline(never)
  private func appendUnknown(
    _ count: Int, to column: UnsafeMutablePointer<RowStorage.Column>, _ row: Int
  ) -> Int {
    var size = 1 + count
    for index in 0..<count { size += unknown[index].size }
    var out = column.pointee.room(for: size)
    out.pointee = UInt8(ascii: "{")
    out += 1
    for index in 0..<count {
      let member = unknown[index]
      let nameSize = member.nameEnd - member.nameStart
      let valueSize = member.valueEnd - member.valueStart
      ByteScan.copy(member.nameStart, nameSize, to: out)
      out += nameSize
      out.pointee = UInt8(ascii: ":")
      ByteScan.copy(member.valueStart, valueSize, to: out + 1)
      out += valueSize + 1
      out.pointee = UInt8(ascii: ",")
      out += 1
      tally.pointee.add(name: member.nameStart + 1, length: nameSize - 2)
    }
    out[-1] = UInt8(ascii: "}")
    column.pointee.setText(size, row)
    return size
  }
}
