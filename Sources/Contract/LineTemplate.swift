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
    }

    /// The byte behind the value, sixteen times: a quote, or what follows a number.
    var terminators = SIMD16<UInt8>(repeating: 0)
    /// Ones in the text's bytes, as far as they are among its first 32.
    var firstMask = SIMD2<UInt64>(0, 0)
    var secondMask = SIMD2<UInt64>(0, 0)
    /// Where the text is in `text`, and its length.
    var start: Int32 = 0
    var length: Int32 = 0
    var field: Int32 = 0
    var kind = Kind.plain
  }

  /// The longest line that is taken for one, and its most values.
  static let longestLine = 2048
  static let mostSlots = 64
  /// How far a value is followed that is longer than most.
  static let longestValue = 256
  /// What a value takes that is as short as most.
  static let usualValue = 16

  /// The line that it was learnt from.
  let text: UnsafeMutablePointer<UInt8>
  var textLength = 0
  let slots: UnsafeMutablePointer<Slot>
  var slotCount = 0
  /// Where the text behind the last value is, and its length; a line feed ends it.
  var tailStart = 0
  var tailLength = 0
  /// The fields that such a line does not have, or has as null.
  let absent: UnsafeMutablePointer<Int32>
  var absentCount = 0
  /// Bytes that must be readable from the start of a line that is compared, if its values are as
  /// short as most.
  var reach = 0

  init(fieldCount: Int) {
    text = .allocate(capacity: Self.longestLine + ByteScan.padding)
    text.initialize(repeating: 0, count: Self.longestLine + ByteScan.padding)
    slots = .allocate(capacity: Self.mostSlots)
    slots.initialize(repeating: Slot(), count: Self.mostSlots)
    absent = .allocate(capacity: max(1, fieldCount))
    absent.initialize(repeating: 0, count: max(1, fieldCount))
  }

  func deallocate() {
    text.deallocate()
    slots.deallocate()
    absent.deallocate()
  }

  /// Takes the shape of the accepted line `start ..< end`, its line end included, that `scanner`
  /// has just read; false if it has none that could be compared.
  mutating func learn(
    _ start: Bytes, _ end: Bytes, _ scanner: borrowing LineScanner, _ contract: EventContract,
    _ rules: UnsafeMutablePointer<FieldRule>
  ) -> Bool {
    let length = end - start
    guard length <= Self.longestLine, scanner.unknownCount == 0, scanner.count <= Self.mostSlots
    else { return false }
    let members = scanner.members
    slotCount = 0
    reach = 0
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
      let textLength = valueStart - place
      slots[slotCount] = Slot(
        terminators: SIMD16(repeating: start[valueEnd]), firstMask: ByteScan.mask(textLength),
        secondMask: ByteScan.mask(textLength - 16), start: Int32(place),
        length: Int32(textLength), field: Int32(field), kind: kind)
      slotCount += 1
      reach += textLength + Self.usualValue
      place = valueEnd
    }
    tailStart = place
    tailLength = length - place
    text.update(from: start, count: length)
    textLength = length
    absentCount = 0
    for field in contract.fields.indices {
      let member = scanner.memberOfField[field]
      if member < 0 || members[Int(member)].kind == .null {
        absent[absentCount] = Int32(field)
        absentCount += 1
      }
    }
    reach += tailLength + ByteScan.padding
    return true
  }

  /// Whether a line of this shape has the same texts in the same places.
  func equals(_ other: LineTemplate) -> Bool {
    guard slotCount == other.slotCount, tailLength == other.tailLength else { return false }
    for index in 0..<slotCount {
      let a = slots[index]
      let b = other.slots[index]
      guard a.length == b.length, a.field == b.field,
        ByteScan.equal(text + Int(a.start), other.text + Int(b.start), Int(a.length))
      else { return false }
    }
    return ByteScan.equal(text + tailStart, other.text + other.tailStart, tailLength)
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

  /// - Parameter areUsed: false compares no line, ever.
  init(fieldCount: Int, areUsed: Bool) {
    areTried = areUsed
    left = areUsed ? 0 : .max
    order = .allocate(capacity: Self.most)
    for index in 0..<Self.most {
      (order + index).initialize(to: LineTemplate(fieldCount: fieldCount))
    }
    spare = .allocate(capacity: 1)
    spare.initialize(to: LineTemplate(fieldCount: fieldCount))
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
