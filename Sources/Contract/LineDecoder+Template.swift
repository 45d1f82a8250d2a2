/// The way of lines that have the shape of an earlier one.
extension LineDecoder {
  /// Reads the line at `start` if it has a known shape and nothing about its values is in doubt:
  /// adds its row and returns the start of the next line. Nil, and nothing has happened, if not.
  @inline(__always)
  func readByTemplate(_ start: Bytes, _ end: Bytes, number: Int64) -> Bytes? {
    let templates = templates
    for index in 0..<templates.pointee.count {
      let template = templates.pointee[index]
      let room = end - start - template.pointee.reach
      guard room >= 0 else { continue }
      if let next = read(start, by: template, room: room, number: number) {
        templates.pointee.hit(index)
        return next
      }
    }
    templates.pointee.miss()
    return nil
  }

  /// Takes the shape of a line that was judged and accepted.
  @inline(never)
  func learn(_ start: Bytes, _ lineEnd: Bytes, _ end: Bytes) {
    // A shape holds values that are sound. It may have been read without its members.
    guard lastRescued == 0, case .object = scanner.pointee.scan(start, lineEnd) else { return }
    templates.pointee.learn(start, end, scanner.pointee, contract, rules)
  }

  /// The line's text between the values is compared, the values are looked up; what has no code yet
  /// is found out as the long way would.
  ///
  /// - Parameter room: bytes that longer values than usual may take, so that nothing is read past
  ///   the end.
  @inline(never)
  private func read(
    _ start: Bytes, by template: UnsafeMutablePointer<LineTemplate>, room: Int, number: Int64
  ) -> Bytes? {
    let text = UnsafeRawPointer(template.pointee.text)
    let slots = UnsafePointer(template.pointee.slots)
    var slot = slots
    let lastSlot = slot + template.pointee.slotCount
    let found = found
    let tables = tables.pointer
    let rules = rules
    var room = room
    var p = start
    var micros: Int64 = 0
    var day: Int32 = 0
    var idStart = start
    var idLength = 0
    while slot < lastSlot {
      let length = Int(slot.pointee.length)
      let expected = text + Int(slot.pointee.start)
      let first =
        (ByteScan.pair(p) ^ expected.loadUnaligned(as: SIMD2<UInt64>.self))
        & slot.pointee.firstMask
      let second =
        (ByteScan.pair(p + 16)
          ^ expected.loadUnaligned(fromByteOffset: 16, as: SIMD2<UInt64>.self))
        & slot.pointee.secondMask
      let difference = first | second
      guard difference[0] | difference[1] == 0,
        length <= 32
          || ByteScan.equal(
            p + 32, Bytes(template.pointee.text) + Int(slot.pointee.start) + 32, length &- 32)
      else { return nil }
      p += length
      let field = Int(slot.pointee.field)
      switch slot.pointee.kind {
      case .coded:
        let block = ByteScan.block(p)
        let hits = ByteScan.words(block .== slot.pointee.terminators)
        let table = tables + field
        var size = Self.firstHit(hits)
        var code: UInt32
        if size < 16 {
          let key = unsafeBitCast(block, to: SIMD2<UInt64>.self) & masks[size]
          code = table.pointee.find(key[0], key[1], length: size)
        } else {
          guard let long = longValue(p, slot, within: room) else { return nil }
          size = long
          room &-= size
          code = table.pointee.find(p, length: size)
        }
        if code == 0 {
          code = newCode(p, size, field)
          if code == 0 { return nil }
        }
        found[field].code = code
        p += size
      case .plain:
        guard let size = plainValue(p, slot, found + field, within: room) else { return nil }
        room &-= size
        p += size
      case .id:
        guard
          let size = ByteScan.plainTextLength(p, within: min(LineTemplate.longestValue, room)),
          size >= rules[field].minBytes, size <= rules[field].maxBytes
        else { return nil }
        room &-= size
        idStart = p
        idLength = size
        p += size
      case .timestamp:
        guard room >= 64, let size = instants.pointee.read(p, micros: &micros, day: &day),
          micros >= rules[field].minInteger, micros <= rules[field].maxInteger
        else { return nil }
        room &-= size
        p += size
      }
      slot += 1
    }
    let tailLength = template.pointee.tailLength
    guard
      ByteScan.matches(p, Bytes(template.pointee.text) + template.pointee.tailStart, tailLength)
    else { return nil }
    p += tailLength

    // The line is accepted. From here on it has a row.
    let header = partitions.header(for: day)
    let row = header.pointee.rowCount
    let columns = header.pointee.columns
    var textBytes = columns[contract.idIndex].append(prefixed: idStart, idLength, row)
    columns[contract.timestampIndex].set(micros, row)
    slot = slots
    while slot < lastSlot {
      let field = Int(slot.pointee.field)
      let column = columns + field
      if slot.pointee.kind == .coded {
        column.pointee.codes[row] = found[field].code
      } else if slot.pointee.kind == .plain {
        if rules[field].kind == .string {
          textBytes &+= column.pointee.append(found[field].start, found[field].length, row)
        } else {
          column.pointee.set(bits: found[field].bits, row, rules[field].kind)
        }
      }
      slot += 1
    }
    for index in 0..<template.pointee.absentCount {
      let field = Int(template.pointee.absent[index])
      columns[field].setNull(row, rules[field].kind)
    }
    header.pointee.endRow(object: objectIndex, line: number, textBytes: textBytes)
    accepted &+= 1
    return p
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

  /// Where a value ends that is longer than fifteen bytes; nil if it is longer than any with a code.
  @inline(never)
  private func longValue(
    _ p: Bytes, _ slot: UnsafePointer<LineTemplate.Slot>, within room: Int
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
  @inline(never)
  private func newCode(_ p: Bytes, _ size: Int, _ field: Int) -> UInt32 {
    guard ByteScan.isPlainText(p, size), rules[field].kind != .boolean,
      let bits = bits(of: p, size, rules + field)
    else { return 0 }
    let code = (tables.pointer + field).pointee.insert(p, length: size, bits: bits)
    if code == 0 { spread(field) }
    return code
  }

  /// The size of a value of a field without codes, which goes to `found`.
  @inline(never)
  private func plainValue(
    _ p: Bytes, _ slot: UnsafePointer<LineTemplate.Slot>, _ found: UnsafeMutablePointer<Found>,
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
