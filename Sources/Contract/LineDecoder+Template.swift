/// The way of lines that have the shape of an earlier one.
extension LineDecoder {
  /// Reads lines from `start` on that have a known shape and nothing in doubt about their values,
  /// adds their rows to the accepted ones, and returns where the first other line begins: at
  /// `start`, and nothing has happened, if it is the first one.
  ///
  /// - Parameter number: the number of the line before `start`, and afterwards of the last one read.
  @inline(__always)
  func readByTemplate(_ start: Bytes, _ end: Bytes, number: inout Int64) -> Bytes {
    let templates = templates
    for index in 0..<templates.pointee.count {
      let template = templates.pointee[index]
      let next = readLines(start, end, by: template, number: &number)
      if next != start {
        templates.pointee.hit(index)
        return next
      }
    }
    templates.pointee.miss()
    return start
  }

  /// Takes the shape of a line that was judged and accepted.
  @inline(never)
  func learn(_ start: Bytes, _ lineEnd: Bytes, _ end: Bytes) {
    // A shape holds values that are sound. It may have been read without its members.
    guard lastRescued == 0, case .object = scanner.pointee.scan(start, lineEnd) else { return }
    templates.pointee.learn(start, end, scanner.pointee, contract, rules)
  }

  /// A line's text between the values is compared, the values are looked up; what has no code yet
  /// is found out as the long way would.
  ///
  /// Written to take few instructions: they are what it costs.
  @inline(never)
  private func readLines(
    _ start: Bytes, _ end: Bytes, by template: UnsafeMutablePointer<LineTemplate>,
    number: inout Int64
  ) -> Bytes {
    let slots = template.pointee.slots
    let lastStart = end - template.pointee.reach
    let found = found
    let keyMasks = keyMasks
    var lineNumber = number
    var line = start
    lines: while line <= lastStart {
      // Bytes that longer values than usual may take, so that nothing is read past the end.
      var room = lastStart - line
      var p = line
      var slot = slots
      var micros: Int64 = 0
      var day: Int32 = 0
      var idStart = p
      var idLength = 0
      // Of the line's texts from the template's: looked at only before something is made of it.
      var difference = SIMD2<UInt64>(0, 0)
      while true {
        difference |= (ByteScan.pair(p) ^ slot.pointee.first) & slot.pointee.firstMask
        difference |= (ByteScan.pair(p + 16) ^ slot.pointee.second) & slot.pointee.secondMask
        p += Int(slot.pointee.length)
        if slot.pointee.kind == .coded {
          let block = ByteScan.block(p)
          var size = Int(slot.pointee.guess)
          if size < 0 || p[size] != slot.pointee.terminators[0] {
            size = Self.firstHit(ByteScan.words(block .== slot.pointee.terminators))
            if slot.pointee.guess >= 0 {
              guard difference[0] | difference[1] == 0 else { break lines }
              slot.pointee.correct(size, lines: template.pointee.lines)
            }
          }
          let key = keyMasks[size].key(unsafeBitCast(block, to: SIMD2<UInt64>.self))
          var code = slot.pointee.table.pointee.find(key)
          if code == 0 {
            guard difference[0] | difference[1] == 0 else { break lines }
            code = firstSight(
              p, slot, size: &size, room: &room, rows: rows &+ Int(lineNumber &- number))
            guard code != 0 else { break lines }
          }
          slot.pointee.code = code
          p += size
          slot += 1
          continue
        }
        guard difference[0] | difference[1] == 0 else { break lines }
        switch slot.pointee.kind {
        case .text: break
        case .coded, .plain:
          let field = Int(slot.pointee.field)
          guard let size = plainValue(p, slot, found + field, within: room) else { break lines }
          room &-= size
          p += size
        case .id:
          idStart = p
          idLength = Int(slot.pointee.guess)
          if idLength < 16 || idLength > room || p[idLength] != UInt8(ascii: "\"")
            || !ByteScan.isPlainText(blocks: p, idLength)
          {
            let rule = rules + Int(slot.pointee.field)
            guard
              let size = ByteScan.plainTextLength(p, within: min(LineTemplate.longestValue, room)),
              size >= rule.pointee.minBytes, size <= rule.pointee.maxBytes
            else { break lines }
            idLength = size
            slot.pointee.correct(size, lines: template.pointee.lines)
          }
          room &-= idLength
          p += idLength
        case .timestamp:
          let rule = rules + Int(slot.pointee.field)
          guard room >= 64, let size = instants.pointee.read(p, micros: &micros, day: &day),
            micros >= rule.pointee.minInteger, micros <= rule.pointee.maxInteger
          else { break lines }
          room &-= size
          p += size
        case .end:
          lineNumber &+= 1
          addRow(
            template, id: idStart, idLength, micros: micros, day: day, number: lineNumber)
          line = p
          continue lines
        }
        slot += 1
      }
    }
    let count = Int(lineNumber &- number)
    template.pointee.lines &+= count
    accepted &+= count
    number = lineNumber
    return line
  }

  /// Adds the row of a line of this shape, whose values are in `found`.
  @inline(__always)
  private func addRow(
    _ template: UnsafeMutablePointer<LineTemplate>, id: Bytes, _ idLength: Int, micros: Int64,
    day: Int32, number: Int64
  ) {
    let header = partitions.header(for: day)
    let row = header.pointee.rowCount
    let columns = header.pointee.columns
    var textBytes = columns[contract.idIndex].append(prefixed: id, idLength, row)
    columns[contract.timestampIndex].set(micros, row)
    let coded = template.pointee.coded
    for index in 0..<template.pointee.codedCount {
      let slot = coded[index]
      columns[Int(slot.pointee.field)].codes[row] = slot.pointee.code
    }
    for index in 0..<template.pointee.plainCount {
      let field = Int(template.pointee.plain[index])
      let column = columns + field
      if rules[field].kind == .string {
        textBytes &+= column.pointee.append(found[field].start, found[field].length, row)
      } else {
        column.pointee.set(bits: found[field].bits, row, rules[field].kind)
      }
    }
    for index in 0..<template.pointee.absentCount {
      let field = Int(template.pointee.absent[index])
      columns[field].setNull(row, rules[field].kind)
    }
    header.pointee.endRow(object: objectIndex, line: number, textBytes: textBytes)
  }

  /// What a value of the line at hand is, until the whole line fits.
  struct Found {
    var code: UInt32 = 0
    var bits: UInt64 = 0
    var start: Bytes
    var length = 0
  }

  /// The first of sixteen bytes that is all ones, or 16. Without a branch, since where it is differs
  /// from line to line.
  @inline(__always)
  static func firstHit(_ hits: SIMD2<UInt64>) -> Int {
    // A word of zeros has 64 of them, so eight bytes.
    let first = hits[0].trailingZeroBitCount &>> 3
    let second = hits[1].trailingZeroBitCount &>> 3
    return first &+ (first == 8 ? second : 0)
  }

  /// The code of a value that was not found at once: it is longer than most, has not the size that
  /// was guessed, or is met for the first time; 0 if it is not certain to be sound.
  ///
  /// - Parameters:
  ///   - size: in what it was looked up, afterwards what it is.
  ///   - room: what longer values may take, less if this is one.
  ///   - rows: how many there are before this line's.
  @inline(never)
  private func firstSight(
    _ p: Bytes, _ slot: UnsafeMutablePointer<LineTemplate.Slot>, size: inout Int, room: inout Int,
    rows: Int
  ) -> UInt32 {
    let field = Int(slot.pointee.field)
    size = Self.firstHit(ByteScan.words(ByteScan.block(p) .== slot.pointee.terminators))
    if size == 16 {
      guard let long = longValue(p, slot, within: room) else { return 0 }
      size = long
      room &-= long
    }
    let code = (tables.pointer + field).pointee.find(p, length: size)
    return code == 0 ? newCode(p, size, field, rows: rows) : code
  }

  /// Where a value ends that is longer than fifteen bytes; nil if it is longer than any with a code.
  private func longValue(
    _ p: Bytes, _ slot: UnsafeMutablePointer<LineTemplate.Slot>, within room: Int
  ) -> Int? {
    let longest = min(LineTemplate.longestValue, room)
    var size = 16
    while size <= longest {
      let hits = ByteScan.words(ByteScan.block(p + size) .== slot.pointee.terminators)
      let hit = Self.firstHit(hits)
      if hit < 16 { return size + hit <= longest ? size + hit : nil }
      size += 16
    }
    return nil
  }

  /// A code for a value that is met for the first time; 0 if it is not certain to be sound.
  ///
  /// Only text of printable ASCII without a quote or an escape is: its line was not yet checked to
  /// be UTF-8.
  private func newCode(_ p: Bytes, _ size: Int, _ field: Int, rows: Int) -> UInt32 {
    guard ByteScan.isPlainText(p, size), rules[field].kind != .boolean,
      let bits = bits(of: p, size, rules + field)
    else { return 0 }
    let code = (tables.pointer + field).pointee.insert(
      p, length: size, bits: bits, rows: rows)
    if code == 0 { spread(field) }
    return code
  }

  /// The size of a value of a field without codes, which goes to `found`.
  @inline(never)
  private func plainValue(
    _ p: Bytes, _ slot: UnsafeMutablePointer<LineTemplate.Slot>,
    _ found: UnsafeMutablePointer<Found>,
    within room: Int
  ) -> Int? {
    let rule = rules + Int(slot.pointee.field)
    let isQuoted = slot.pointee.terminators[0] == UInt8(ascii: "\"")
    switch rule.pointee.kind {
    case .string:
      guard let size = ByteScan.plainTextLength(p, within: min(LineTemplate.longestValue, room)),
        size >= rule.pointee.minBytes, size <= rule.pointee.maxBytes
      else { return nil }
      found.pointee.start = p
      found.pointee.length = size
      return size
    case .timestamp:
      guard let size = ByteScan.plainTextLength(p, within: min(64, room)) else { return nil }
      let micros = Timestamp.parse(p, count: size)
      guard micros >= rule.pointee.minInteger, micros <= rule.pointee.maxInteger else { return nil }
      found.pointee.bits = UInt64(bitPattern: micros)
      return size
    case .double, .int32, .int64:
      // A number without an end would be followed too far; longer ones go the long way.
      guard ByteScan.hasEndOfNumber(p, within: min(48, room + 16)) else { return nil }
      var number = DecimalText()
      guard let end = number.read(p), end.pointee == slot.pointee.terminators[0],
        let bits = bits(of: number, (p, end), rule)
      else { return nil }
      found.pointee.bits = bits
      return end - p
    case .boolean:
      guard !isQuoted, room + 16 >= 5 else { return nil }
      let word = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self)
      found.pointee.bits = word == 0x6575_7274 ? 1 : 0  // "true"
      if word == 0x6575_7274 { return 4 }
      return word == 0x736C_6166 && p[4] == UInt8(ascii: "e") ? 5 : nil  // "fals"
    }
  }
}
