/// The verdict of one line, and what becomes of it.
extension LineDecoder {
  /// Judges the line `start ..< end`, counts it, and adds its row or its record.
  ///
  /// Unless it is longer than the longest line, `JSONScanner` must be able to read it. `isASCII`
  /// may be false for a line that is.
  @inline(__always)
  @discardableResult
  func judge(
    _ start: Bytes, _ end: Bytes, isASCII: Bool, number: Int64, offset: Int64
  ) -> Verdict {
    let reason: QuarantineReason?
    if ByteScan.firstNonBlank(from: start, to: end) == end {
      counts.blank += 1
      return .blank
    } else if end - start > Self.longestLineBytes {
      reason = .lineTooLong
    } else if !isASCII, !UTF8Check.isValid(from: start, to: end) {
      reason = .invalidUnicode
    } else if comparesShapes, readMembers(start, end, number: number) {
      reason = nil
    } else {
      reason = decodeEvent(start, end, number: number)
    }
    guard let reason else {
      accepted += 1
      return .accepted
    }
    let kept =
      reason == .lineTooLong
      ? min(QuarantineBuffer.longestExcerptBytes, end - start) : end - start
    quarantine(
      reason, number: number, offset: offset, length: Int64(end - start), raw: start, count: kept)
    return .quarantined(reason)
  }

  @inline(never)
  func quarantine(
    _ reason: QuarantineReason, number: Int64, offset: Int64, length: Int64, raw start: Bytes,
    count: Int
  ) {
    counts.quarantined[reason, default: 0] += 1
    quarantine.append(
      reason, line: number, byteOffset: offset, byteLength: length, raw: start, count: count)
  }

  /// Adds the row of a line of sound UTF-8, or says why it has none.
  @inline(never)
  private func decodeEvent(_ start: Bytes, _ end: Bytes, number: Int64) -> QuarantineReason? {
    switch scanner.pointee.scan(start, end) {
    case .object: break
    case .notAnObject: return .notAnObject
    case .malformed: return .malformedJSON
    case .tooDeep: return .tooDeep
    case .unpairedSurrogate: return .invalidUnicode
    }
    let members = scanner.pointee.members
    let memberOfField = scanner.pointee.memberOfField
    if scanner.pointee.hasTwinField { return .duplicateKey }
    if scanner.pointee.unknownCount > 1,
      twins.pointee.occur(
        in: members, count: scanner.pointee.count, line: start, lineLength: end - start)
    {
      return .duplicateKey
    }

    let id = Int(memberOfField[contract.idIndex])
    guard id >= 0, members[id].kind != .null else { return .missingEventID }
    guard isString(members + id, start, rules + contract.idIndex) else { return .invalidEventID }

    let timestamp = Int(memberOfField[contract.timestampIndex])
    guard timestamp >= 0, members[timestamp].kind != .null else { return .missingTimestamp }
    let micros = micros(of: members + timestamp, start)
    guard micros != Timestamp.invalid else { return .invalidTimestamp }
    let range = rules + contract.timestampIndex
    guard micros >= range.pointee.minInteger, micros <= range.pointee.maxInteger else {
      return .timestampOutOfRange
    }

    appendRow(start, number: number, micros: micros)
    return nil
  }

  /// Adds a row for the members that were scanned. From here on every line has one.
  @inline(__always)
  private func appendRow(_ start: Bytes, number: Int64, micros: Int64) {
    let header = partitions.header(for: Timestamp.day(ofMicros: micros))
    let row = header.pointee.rowCount
    let columns = header.pointee.columns
    let members = scanner.pointee.members
    let memberOfField = scanner.pointee.memberOfField
    let fieldCount = contract.fields.count
    let timestampIndex = contract.timestampIndex
    let idIndex = contract.idIndex
    var rescued = scanner.pointee.unknownCount
    var textBytes = 0

    for field in 0..<fieldCount {
      let column = columns + field
      let rule = rules + field
      let index = Int(memberOfField[field])
      if field == timestampIndex {
        column.pointee.set(micros, row)
      } else if field == idIndex {
        textBytes += appendID(members + index, start, to: column, row)
      } else if index < 0 || members[index].kind == .null {
        column.pointee.setNull(row, rule.pointee.kind)
      } else {
        let before = column.pointee.byteCount
        let isCoded = rule.pointee.isCoded
        let isSound =
          isCoded
          ? appendCode(members + index, start, field, row, header)
          : append(members + index, start, to: column, row, rule)
        if isSound {
          if !isCoded { textBytes += column.pointee.byteCount - before }
        } else {
          column.pointee.setNull(row, rule.pointee.kind)
          // From here on it is as one that the contract does not know, but for its name.
          members[index].isRescued = true
          rescued += 1
        }
      }
    }

    lastRescued = rescued
    if rescued > 0 { textBytes += appendRescued(start, to: columns + fieldCount, row) }
    header.pointee.endRow(object: objectIndex, line: number, textBytes: textBytes)
  }

  /// Sets the row's id, which is known to be sound; returns the bytes added.
  @inline(__always)
  private func appendID(
    _ member: UnsafeMutablePointer<Member>, _ line: Bytes,
    to column: UnsafeMutablePointer<RowStorage.Column>, _ row: Int
  ) -> Int {
    let text = line + Int(member.pointee.valueStart) + 1
    var count = Int(member.pointee.valueEnd - member.pointee.valueStart) - 2
    let room = column.pointee.room(for: count + 4)
    if member.pointee.isValueEscaped {
      count = JSONScanner.unescape(from: text, to: text + count, into: room + 4)
    } else {
      ByteScan.copy(text, count, to: room + 4)
    }
    UnsafeMutableRawPointer(room).storeBytes(
      of: UInt32(truncatingIfNeeded: count).littleEndian, as: UInt32.self)
    column.pointee.setText(count + 4, row)
    return count + 4
  }

  /// Sets a row's code to that of a member's value; false if the value breaks its type or rule.
  @inline(__always)
  private func appendCode(
    _ member: UnsafeMutablePointer<Member>, _ line: Bytes, _ field: Int, _ row: Int,
    _ header: UnsafeMutablePointer<RowStorage.Header>
  ) -> Bool {
    let rule = rules + field
    var text = line + Int(member.pointee.valueStart)
    var length = Int(member.pointee.valueEnd - member.pointee.valueStart)
    switch member.pointee.kind {
    case .string:
      guard rule.pointee.kind != .boolean else { return false }
      text += 1
      length -= 2
      if member.pointee.isValueEscaped {
        length = unescape(member, line)
        text = Bytes(unescaped.start)
      }
    case .number:
      guard rule.pointee.kind != .string, rule.pointee.kind != .timestamp else { return false }
    case .true, .false:
      guard rule.pointee.kind == .boolean else { return false }
    case .null, .container: return false
    }
    let table = tables.pointer + field
    let isEscaped = member.pointee.isValueEscaped && !ByteScan.standsUnescaped(text, length)
    var code =
      isEscaped
      ? table.pointee.findEscaped(text, length: length) : table.pointee.find(text, length: length)
    if code == 0 {
      guard let bits = bits(of: text, length, rule) else { return false }
      code = table.pointee.insert(
        text, length: length, bits: bits, rows: rows, isEscaped: isEscaped)
      if code == 0 {
        spread(field)
        return append(member, line, to: header.pointee.columns + field, row, rule)
      }
    }
    header.pointee.columns[field].codes[row] = code
    return true
  }

  /// Keeps the values of a field that has too many of them as they are from now on.
  @inline(never)
  func spread(_ field: Int) {
    rules[field].isCoded = false
    templates.pointee.forget()
    partitions.spread(field)
  }

  /// What a value's text, with the quotes taken off and escapes undone, means in a field of that
  /// rule; nil if it breaks the rule. Strings have no bits.
  @inline(never)
  func bits(
    of text: Bytes, _ length: Int, _ rule: UnsafeMutablePointer<FieldRule>
  ) -> UInt64? {
    switch rule.pointee.kind {
    case .string:
      return length >= rule.pointee.minBytes && length <= rule.pointee.maxBytes ? 0 : nil
    case .timestamp:
      let micros = Timestamp.parse(text, count: length)
      guard micros >= rule.pointee.minInteger, micros <= rule.pointee.maxInteger else { return nil }
      return UInt64(bitPattern: micros)
    case .double, .int32, .int64:
      var number = DecimalText()
      guard let end = number.read(text), end == text + length else { return nil }
      return bits(of: number, (text, end), rule)
    case .boolean: return text[0] == UInt8(ascii: "t") ? 1 : 0
    }
  }

  /// Sets a row's value to that of a member; false if the member breaks its field's type or rule.
  @inline(__always)
  private func append(
    _ member: UnsafeMutablePointer<Member>, _ line: Bytes,
    to column: UnsafeMutablePointer<RowStorage.Column>, _ row: Int,
    _ rule: UnsafeMutablePointer<FieldRule>
  ) -> Bool {
    switch rule.pointee.kind {
    case .string:
      guard member.pointee.kind == .string else { return false }
      let text = line + Int(member.pointee.valueStart) + 1
      var count = Int(member.pointee.valueEnd - member.pointee.valueStart) - 2
      let room = column.pointee.room(for: count)
      if member.pointee.isValueEscaped {
        count = JSONScanner.unescape(from: text, to: text + count, into: room)
      } else {
        ByteScan.copy(text, count, to: room)
      }
      guard count >= rule.pointee.minBytes, count <= rule.pointee.maxBytes else { return false }
      column.pointee.setText(count, row)
      return true
    case .timestamp:
      let micros = micros(of: member, line)
      // No timestamp at all is below every range.
      guard micros >= rule.pointee.minInteger, micros <= rule.pointee.maxInteger else {
        return false
      }
      column.pointee.set(micros, row)
      return true
    case .double, .int32, .int64:
      var span = (start: line, end: line)
      guard let number = number(of: member, line, &span),
        let bits = bits(of: number, span, rule)
      else { return false }
      column.pointee.set(bits: bits, row, rule.pointee.kind)
      return true
    case .boolean:
      guard member.pointee.kind == .true || member.pointee.kind == .false else { return false }
      column.pointee.set(bits: member.pointee.kind == .true ? 1 : 0, row, .boolean)
      return true
    }
  }

  /// The bits of a number of an allowed value, as a field of that rule keeps it.
  @inline(__always)
  func bits(
    of number: DecimalText, _ span: (start: Bytes, end: Bytes),
    _ rule: UnsafeMutablePointer<FieldRule>
  ) -> UInt64? {
    if rule.pointee.kind == .double {
      let value = number.double(span.start, span.end, powersOfTen: powersOfTen)
      guard value >= rule.pointee.minDouble, value <= rule.pointee.maxDouble else { return nil }
      return value.bitPattern
    }
    let value: Int64
    if number.isInteger {
      guard let exact = number.exactInteger else { return nil }
      value = exact
    } else {
      let rounded = number.double(span.start, span.end, powersOfTen: powersOfTen)
      guard let whole = Int64(exactly: rounded) else { return nil }
      value = whole
    }
    guard value >= rule.pointee.minInteger, value <= rule.pointee.maxInteger else { return nil }
    return UInt64(bitPattern: value)
  }

  /// Whether a member is a string of an allowed size.
  @inline(__always)
  private func isString(
    _ member: UnsafeMutablePointer<Member>, _ line: Bytes, _ rule: UnsafeMutablePointer<FieldRule>
  ) -> Bool {
    guard member.pointee.kind == .string else { return false }
    var count = Int(member.pointee.valueEnd - member.pointee.valueStart) - 2
    if member.pointee.isValueEscaped { count = unescape(member, line) }
    return count >= rule.pointee.minBytes && count <= rule.pointee.maxBytes
  }

  /// The instant that a member names, or `Timestamp.invalid`.
  @inline(__always)
  private func micros(of member: UnsafeMutablePointer<Member>, _ line: Bytes) -> Int64 {
    guard member.pointee.kind == .string else { return Timestamp.invalid }
    if member.pointee.isValueEscaped {
      let count = unescape(member, line)
      return Timestamp.parse(unescaped.start, count: count)
    }
    let count = Int(member.pointee.valueEnd - member.pointee.valueStart) - 2
    return Timestamp.parse(line + Int(member.pointee.valueStart) + 1, count: count)
  }

  /// The number that a member is, or that its string is exactly, and where its text stands.
  @inline(__always)
  private func number(
    of member: UnsafeMutablePointer<Member>, _ line: Bytes, _ span: inout (start: Bytes, end: Bytes)
  ) -> DecimalText? {
    let start = line + Int(member.pointee.valueStart)
    switch member.pointee.kind {
    case .number:
      span = (start, line + Int(member.pointee.valueEnd))
      return member.pointee.number
    case .string:
      span = (start + 1, line + Int(member.pointee.valueEnd) - 1)
      if member.pointee.isValueEscaped {
        let count = unescape(member, line)
        span = (Bytes(unescaped.start), Bytes(unescaped.start) + count)
      }
      var number = DecimalText()
      guard let end = number.read(span.start), end == span.end else { return nil }
      return number
    default: return nil
    }
  }

  /// Puts what a string means into `unescaped`, with a byte behind it that continues nothing.
  @inline(never)
  private func unescape(_ member: UnsafeMutablePointer<Member>, _ line: Bytes) -> Int {
    let start = line + Int(member.pointee.valueStart) + 1
    let end = line + Int(member.pointee.valueEnd) - 1
    unescaped.count = 0
    unescaped.reserve(end - start + 1)
    let count = JSONScanner.unescape(from: start, to: end, into: unescaped.start)
    unescaped.start[count] = UInt8(ascii: "\"")
    return count
  }

  /// Sets `_rescued_data` of a row: the members without a place, in the line's order and in its
  /// own text of name and value. Returns the bytes added.
  @inline(never)
  private func appendRescued(
    _ line: Bytes, to column: UnsafeMutablePointer<RowStorage.Column>, _ row: Int
  ) -> Int {
    let members = UnsafeMutableBufferPointer(
      start: scanner.pointee.members, count: scanner.pointee.count)
    var size = 1
    for member in members where member.field < 0 || member.isRescued {
      size += Int(member.nameEnd - member.nameStart) + Int(member.valueEnd - member.valueStart) + 2
    }
    let room = column.pointee.room(for: size)
    var out = room
    out.pointee = UInt8(ascii: "{")
    out += 1
    for member in members where member.field < 0 || member.isRescued {
      let nameSize = Int(member.nameEnd - member.nameStart)
      let valueSize = Int(member.valueEnd - member.valueStart)
      ByteScan.copy(line + Int(member.nameStart), nameSize, to: out)
      out += nameSize
      out.pointee = UInt8(ascii: ":")
      ByteScan.copy(line + Int(member.valueStart), valueSize, to: out + 1)
      out += valueSize + 1
      out.pointee = UInt8(ascii: ",")
      out += 1
      count(rescued: member, line)
    }
    out[-1] = UInt8(ascii: "}")
    column.pointee.setText(size, row)
    return size
  }

  private func count(rescued member: Member, _ line: Bytes) {
    if member.field >= 0 {
      tally.pointee.add(field: Int(member.field))
      return
    }
    let start = line + Int(member.nameStart) + 1
    let end = line + Int(member.nameEnd) - 1
    guard member.isNameEscaped else {
      tally.pointee.add(name: start, length: end - start)
      return
    }
    unescaped.count = 0
    unescaped.reserve(end - start)
    let length = JSONScanner.unescape(from: start, to: end, into: unescaped.start)
    tally.pointee.add(name: unescaped.start, length: length)
  }
}
