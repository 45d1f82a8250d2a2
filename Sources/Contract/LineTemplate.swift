/// The shape of a line: the text between its values, and which field each value is of.
///
/// Lines of one sender differ in their values alone. Where a line has the text of an earlier one at
/// every place, its values are found by comparing, without reading it as JSON again.
struct LineTemplate {
  /// The text up to a value, and the value.
  struct Slot {
    enum Kind: UInt8 {
      case id
      case timestamp
      /// Of a field whose rows keep codes.
      case coded
      case plain
      /// No value: more text follows.
      case text
      /// No value: the text ends the line.
      case end
    }

    /// The text, and ones in the bytes that it has.
    var first = SIMD2<UInt64>(0, 0)
    var second = SIMD2<UInt64>(0, 0)
    var firstMask = SIMD2<UInt64>(0, 0)
    var secondMask = SIMD2<UInt64>(0, 0)
    /// The byte behind the value, sixteen times: a quote, or what follows a number.
    var terminators = SIMD16<UInt8>(repeating: 0)
    /// Where the text is in the line that it was learnt from, and its length.
    var start: Int32 = 0
    var length: Int32 = 0
    var field: Int32 = 0
    var kind = Kind.end
    /// Coded: the field's values, and the code of the one in the line at hand.
    var table: UnsafeMutablePointer<ValueTable>
    var code: UInt32 = 0
    /// The size that the value is taken to have before it is looked at, so that reading on need not
    /// wait for its end to be found; negative where sizes differ too often for that.
    var guess: Int32 = 0
    private var wrongGuesses: Int32 = 0

    /// - Parameters:
    ///   - text: the text's place in `line`, which is readable `ByteScan.padding` past it.
    ///   - tables: the values of all fields.
    init(_ kind: Kind, text: Range<Int>, of line: Bytes, _ tables: UnsafeMutablePointer<ValueTable>)
    {
      self.kind = kind
      table = tables
      start = Int32(text.lowerBound)
      length = Int32(text.count)
      firstMask = ByteScan.mask(text.count)
      secondMask = ByteScan.mask(text.count - 16)
      first = ByteScan.pair(line + text.lowerBound) & firstMask
      second = ByteScan.pair(line + text.lowerBound + 16) & secondMask
    }

    init(
      _ kind: Kind, of field: Int, text: Range<Int>, value: Range<Int>, of line: Bytes,
      _ tables: UnsafeMutablePointer<ValueTable>
    ) {
      self.init(kind, text: text, of: line, tables)
      terminators = SIMD16(repeating: line[value.upperBound])
      self.field = Int32(field)
      table = tables + field
      guess = Int32(value.count)
      if kind == .coded, value.count > LineTemplate.longestGuess { guess = -1 }
    }

    /// Takes note that the value had another size than was guessed, in one of so many lines.
    @inline(never)
    mutating func correct(_ size: Int, lines: Int) {
      guard guess >= 0 else { return }
      wrongGuesses &+= 1
      // A wrong guess costs what some right ones save.
      let isGivenUp =
        wrongGuesses > LineTemplate.patience + lines / 8
        || kind == .coded && size > LineTemplate.longestGuess
      guess = isGivenUp ? -1 : Int32(size)
    }
  }

  /// The longest line that is taken for one, and its most values.
  static let longestLine = 2048
  private static let mostFields = 64
  static let mostSlots = mostFields + longestLine / mostText
  /// How far a value is followed that is longer than most.
  static let longestValue = 256
  /// What a value takes that is as short as most.
  static let usualValue = 16
  /// Wrong guesses that are let pass.
  private static let patience = 64
  /// The largest size that is guessed of a value with a code: more do not fit into a key.
  private static let longestGuess = 15

  /// What a slot's text has at most.
  private static let mostText = 32

  /// The line that it was learnt from.
  let text: UnsafeMutablePointer<UInt8>
  /// One for each value, and the end of the line.
  let slots: UnsafeMutablePointer<Slot>
  var slotCount = 0
  /// The slots with codes, and the fields of the plain ones.
  let coded: UnsafeMutablePointer<UnsafeMutablePointer<Slot>>
  var codedCount = 0
  let plain: UnsafeMutablePointer<Int32>
  var plainCount = 0
  /// The fields that such a line does not have, or has as null.
  let absent: UnsafeMutablePointer<Int32>
  var absentCount = 0
  /// Bytes that must be readable from the start of a line that is compared, if its values are as
  /// short as most.
  var reach = 0
  /// Lines that had this shape.
  var lines = 0

  private let tables: UnsafeMutablePointer<ValueTable>

  /// - Parameter tables: the values of all fields.
  init(fieldCount: Int, _ tables: UnsafeMutablePointer<ValueTable>) {
    self.tables = tables
    text = .allocate(capacity: Self.longestLine + ByteScan.padding)
    text.initialize(repeating: 0, count: Self.longestLine + ByteScan.padding)
    slots = .allocate(capacity: Self.mostSlots + 1)
    slots.initialize(
      repeating: Slot(.end, text: 0..<0, of: text, tables), count: Self.mostSlots + 1)
    coded = .allocate(capacity: Self.mostSlots)
    coded.initialize(repeating: slots, count: Self.mostSlots)
    plain = .allocate(capacity: Self.mostSlots)
    plain.initialize(repeating: 0, count: Self.mostSlots)
    absent = .allocate(capacity: max(1, fieldCount))
    absent.initialize(repeating: 0, count: max(1, fieldCount))
  }

  func deallocate() {
    text.deallocate()
    slots.deallocate()
    coded.deallocate()
    plain.deallocate()
    absent.deallocate()
  }

  /// Takes the shape of the accepted line `start ..< end`, its line end included, that `scanner`
  /// has just read; false if it has none that could be compared.
  mutating func learn(
    _ start: Bytes, _ end: Bytes, _ scanner: borrowing LineScanner, _ contract: EventContract,
    _ rules: UnsafeMutablePointer<FieldRule>
  ) -> Bool {
    let length = end - start
    guard length <= Self.longestLine, scanner.unknownCount == 0, scanner.count <= Self.mostFields
    else { return false }
    let members = scanner.members
    slotCount = 0
    codedCount = 0
    plainCount = 0
    reach = 0
    lines = 0
    var place = 0
    for index in 0..<scanner.count {
      let member = members[index]
      guard !member.isRescued, !member.isValueEscaped else { return false }
      var valueStart = Int(member.valueStart)
      var valueEnd = Int(member.valueEnd)
      switch member.kind {
      case .null: continue
      case .string:
        valueStart += 1
        valueEnd -= 1
      case .number, .true, .false: break
      case .container: return false
      }
      let field = Int(member.field)
      let kind: Slot.Kind =
        if field == contract.idIndex {
          .id
        } else if field == contract.timestampIndex {
          .timestamp
        } else {
          rules[field].isCoded ? .coded : .plain
        }
      let textStart = addText(from: place, to: valueStart, of: start)
      slots[slotCount] = Slot(
        kind, of: field, text: textStart..<valueStart, value: valueStart..<valueEnd, of: start,
        tables)
      slotCount += 1
      if kind == .coded {
        coded[codedCount] = slots + slotCount - 1
        codedCount += 1
      } else if kind == .plain {
        plain[plainCount] = Int32(field)
        plainCount += 1
      }
      reach += valueStart - place + Self.usualValue
      place = valueEnd
    }
    let textStart = addText(from: place, to: length, of: start)
    slots[slotCount] = Slot(.end, text: textStart..<length, of: start, tables)
    slotCount += 1
    text.update(from: start, count: length)
    absentCount = 0
    for field in contract.fields.indices {
      let member = scanner.memberOfField[field]
      if member < 0 || members[Int(member)].kind == .null {
        absent[absentCount] = Int32(field)
        absentCount += 1
      }
    }
    reach += length - place + ByteScan.padding
    return true
  }

  /// Adds slots of text alone until what is left fits in one; gives where that begins.
  private mutating func addText(from start: Int, to end: Int, of line: Bytes) -> Int {
    var place = start
    while end - place > Self.mostText {
      slots[slotCount] = Slot(.text, text: place..<place + Self.mostText, of: line, tables)
      slotCount += 1
      place += Self.mostText
    }
    return place
  }

  /// Whether a line of this shape has the same texts in the same places.
  func equals(_ other: LineTemplate) -> Bool {
    guard slotCount == other.slotCount else { return false }
    for index in 0..<slotCount {
      let a = slots[index]
      let b = other.slots[index]
      guard a.length == b.length, a.field == b.field, a.kind == b.kind,
        ByteScan.equal(text + Int(a.start), other.text + Int(b.start), Int(a.length))
      else { return false }
    }
    return true
  }
}

/// The few shapes that lines had lately.
struct LineTemplates: ~Copyable {
  /// How many shapes are kept.
  static let most = 4
  /// After so many lines in a row that fit none, the next ones are not compared.
  private static let patience = 24
  private static let shortestPause = 256
  private static let longestPause = 1 << 16

  /// The last one that fitted first.
  private let order: UnsafeMutablePointer<LineTemplate>
  private let spare: UnsafeMutablePointer<LineTemplate>
  private(set) var count = 0
  /// Whether lines are worth comparing.
  private(set) var areTried: Bool
  private var misses = 0
  private var pause = shortestPause
  private var left: Int

  /// - Parameters:
  ///   - areUsed: false compares no line, ever.
  ///   - tables: the values of all fields.
  init(fieldCount: Int, _ tables: UnsafeMutablePointer<ValueTable>, areUsed: Bool) {
    areTried = areUsed
    left = areUsed ? 0 : .max
    order = .allocate(capacity: Self.most)
    for index in 0..<Self.most {
      (order + index).initialize(to: LineTemplate(fieldCount: fieldCount, tables))
    }
    spare = .allocate(capacity: 1)
    spare.initialize(to: LineTemplate(fieldCount: fieldCount, tables))
  }

  deinit {
    for index in 0..<Self.most { order[index].deallocate() }
    order.deallocate()
    spare.pointee.deallocate()
    spare.deallocate()
  }

  @inline(__always)
  subscript(index: Int) -> UnsafeMutablePointer<LineTemplate> { order + index }

  /// Notes which shape a line had.
  @inline(__always)
  mutating func hit(_ index: Int) {
    misses = 0
    pause = Self.shortestPause
    if index > 0 { moveToFront(index) }
  }

  @inline(never)
  private func moveToFront(_ index: Int) {
    let found = order[index]
    var place = index
    while place > 0 {
      order[place] = order[place - 1]
      place -= 1
    }
    order[0] = found
  }

  /// Notes that a line had none of the shapes.
  mutating func miss() {
    misses += 1
    guard misses >= Self.patience else { return }
    misses = 0
    areTried = false
    left = pause
    pause = min(pause * 2, Self.longestPause)
  }

  /// Forgets the shapes: a field's values are kept otherwise from now on.
  mutating func forget() { count = 0 }

  /// Counts a line that was not compared.
  @inline(__always)
  mutating func rest() {
    left -= 1
    if left <= 0 { areTried = true }
  }

  /// Keeps the shape of an accepted line, in place of the one that fitted longest ago.
  mutating func learn(
    _ start: Bytes, _ end: Bytes, _ scanner: borrowing LineScanner, _ contract: EventContract,
    _ rules: UnsafeMutablePointer<FieldRule>
  ) {
    guard spare.pointee.learn(start, end, scanner, contract, rules) else { return }
    // A value, not the shape, kept the line from being read by the one that there is.
    for index in 0..<count where order[index].equals(spare.pointee) { return }
    let last = count < Self.most ? count : Self.most - 1
    count = last + 1
    let replaced = order[last]
    order[last] = spare.pointee
    spare.pointee = replaced
    moveToFront(last)
  }
}
