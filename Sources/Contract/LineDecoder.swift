/// Turns the bytes of raw objects into columns of accepted rows and records of quarantined lines.
///
/// An object goes through `begin`, any number of `decode` and `finish`; how its bytes are cut into
/// chunks changes nothing. Rows and records gather in `partitions` and `quarantine` over any number
/// of objects until the caller takes them away. Besides those it holds a few megabytes at most,
/// whatever the objects hold.
///
/// A line's verdict: section "How a line is judged" of `contract/README.md`. Not for use by two
/// tasks at once: one for each worker.
///
/// The way of a line:
/// ```
/// decode ─┬─ readByTemplate    it has the shape of a line before: LineTemplate finds the values,
///         │                    ValueTable knows most of them, InstantReader the time
///         └─ judge             any other: framed, checked as UTF-8
///              ├─ readMembers    sound, in any order: each value looked up as it comes
///              └─ decodeEvent    the long way, which alone knows all rules
///                   ├─ LineScanner  reads it as JSON (JSONScanner, DecimalText, FieldNames)
///                   ├─ appendRow    types and rules (FieldRule, Timestamp), what breaks them
///                   │               is rescued
///                   └─ quarantine   with its reason (QuarantineBuffer)
/// ```
/// The two short ways only ever take lines that the long way would accept, to the same row: whatever
/// they are not sure of they leave to it. `comparesShapes: false` leaves it everything; tests and a
/// fuzzer hold the ways equal.
public final class LineDecoder {
  /// The longest line that is not quarantined as too long, without its line end.
  public static let longestLineBytes = 1 << 20

  /// The fields that rows have.
  public let contract: EventContract
  /// The accepted rows since they were last removed, by the UTC day of their timestamp.
  public let partitions: PartitionedRows
  /// The records of quarantined lines since they were last removed.
  public let quarantine = QuarantineBuffer()

  // By pointer, so that no access is checked for exclusivity line by line: sound, since a decoder
  // is used by one task at a time and none of these calls back.
  let rules: UnsafeMutablePointer<FieldRule>
  let powersOfTen: UnsafeMutablePointer<Double>
  let scanner: UnsafeMutablePointer<LineScanner>
  let twins: UnsafeMutablePointer<TwinNames>
  let tally: UnsafeMutablePointer<RescueTally>
  let tables: ValueTables
  /// The fields' names: a field's code is its index, and one more.
  let names: UnsafeMutablePointer<ValueTable>
  let templates: UnsafeMutablePointer<LineTemplates>
  let instants: UnsafeMutablePointer<InstantReader>
  /// By a text's size what makes its key.
  let keyMasks: UnsafeMutablePointer<ValueTable.KeyMask>
  /// For each field what a short way found in the line at hand, before the line has a row.
  let found: UnsafeMutablePointer<Found>
  var order = NameOrder()
  /// The line's members without a field, as far as `readMembers` met any.
  let unknown: UnsafeMutablePointer<Unknown>
  /// Whether lines may take a shorter way than the long one.
  let comparesShapes: Bool
  /// For strings with escapes, and for lines that are judged away from their chunk.
  var unescaped = ByteBuffer(capacity: 1024)
  private var lineCopy = ByteBuffer(capacity: 4096)
  private var carry = LineCarry()

  var counts = LineCounts()
  /// How many members of the last row were rescued.
  var lastRescued = 0
  var accepted = 0
  /// Lines that were accepted in objects before.
  private var acceptedBefore = 0
  var objectIndex: UInt32 = 0
  private var lineNumber: Int64 = 0
  /// Where the line that is being read begins in the object.
  private var lineOffset: Int64 = 0
  /// How many bytes of a byte order mark the object has begun with; nil once that is settled.
  private var markBytes: Int?

  /// A decoder of the contract's fields.
  ///
  /// - Parameter comparesShapes: false reads every line the long way; for tests, since the result
  ///   is the same.
  public init(contract: EventContract, comparesShapes: Bool = true) {
    self.contract = contract
    let fields = contract.fields
    let layout = RowLayout(contract)
    tables = layout.tables
    partitions = PartitionedRows(layout)
    rules = .allocate(capacity: fields.count)
    for (index, field) in fields.enumerated() {
      (rules + index).initialize(
        to: FieldRule(field.type, isCoded: layout.forms[index] == .codes))
    }
    powersOfTen = .allocate(capacity: 23)
    var power = 1.0
    for exponent in 0...22 {
      powersOfTen[exponent] = power
      power *= 10
    }
    scanner = .allocate(capacity: 1)
    scanner.initialize(to: LineScanner(fieldNames: fields.map(\.name)))
    names = .allocate(capacity: 1)
    names.initialize(to: ValueTable(.string))
    for field in fields {
      var name = ByteBuffer(capacity: field.name.utf8.count)
      for byte in field.name.utf8 { name.append(byte) }
      _ = names.pointee.insert(Bytes(name.start), length: name.count, bits: 0, rows: 0)
    }
    twins = .allocate(capacity: 1)
    twins.initialize(to: TwinNames())
    tally = .allocate(capacity: 1)
    tally.initialize(to: RescueTally(fieldCount: fields.count))
    templates = .allocate(capacity: 1)
    templates.initialize(
      to: LineTemplates(fieldCount: fields.count, tables.pointer, areUsed: comparesShapes))
    instants = .allocate(capacity: 1)
    instants.initialize(to: InstantReader())
    self.comparesShapes = comparesShapes && fields.count <= 64
    unknown = .allocate(capacity: Self.mostUnknown)
    let nowhere = Bytes(lineCopy.start)
    unknown.initialize(
      repeating: Unknown(
        nameStart: nowhere, nameEnd: nowhere, valueStart: nowhere, valueEnd: nowhere),
      count: Self.mostUnknown)
    keyMasks = .allocate(capacity: 17)
    for size in 0...16 { (keyMasks + size).initialize(to: ValueTable.KeyMask(size: size)) }
    found = .allocate(capacity: fields.count)
    found.initialize(repeating: Found(start: lineCopy.start), count: fields.count)
  }

  deinit {
    rules.deallocate()
    powersOfTen.deallocate()
    scanner.deinitialize(count: 1).deallocate()
    names.deinitialize(count: 1).deallocate()
    twins.deinitialize(count: 1).deallocate()
    tally.deinitialize(count: 1).deallocate()
    templates.deinitialize(count: 1).deallocate()
    instants.deinitialize(count: 1).deallocate()
    found.deallocate()
    keyMasks.deallocate()
    unknown.deallocate()
  }

  /// Starts a raw object, and forgets what was left of one that was not finished.
  ///
  /// `sourceObject` is the key that quarantine records name, `objectIndex` the caller's number for
  /// it, stored with each accepted row.
  public func begin(sourceObject: String, objectIndex: UInt32) {
    quarantine.begin(sourceObject: sourceObject)
    self.objectIndex = objectIndex
    carry.removeAll()
    counts = LineCounts()
    accepted = 0
    tally.pointee.reset()
    lineNumber = 0
    lineOffset = 0
    markBytes = 0
  }

  /// Judges the lines that end in `chunk`, the next bytes of the object, and keeps the rest of it
  /// for the next call: at most the longest line.
  ///
  /// Rows and records gather without a bound of their own. To keep one, pass chunks of bounded size
  /// and look at `partitions.sizeBytes` and `quarantine.sizeBytes` between them.
  public func decode(_ chunk: UnsafeRawBufferPointer) {
    guard let base = chunk.baseAddress, !chunk.isEmpty else { return }
    let start = base.assumingMemoryBound(to: UInt8.self)
    let end = start + chunk.count
    var p = start
    if markBytes != nil { p = skipByteOrderMark(p, end) }
    var highBits: UInt64 = 0

    if carry.length > 0 {
      guard let feed = ByteScan.lineFeed(from: p, to: end, highBits: &highBits) else {
        carry.append(p, end)
        return
      }
      carry.append(p, feed)
      endCarriedLine(lineEndBytes: 1)
      p = feed + 1
    }

    // Past this the line's padding would leave the chunk.
    let lastInPlace = end - ByteScan.padding
    var number = lineNumber
    var offset = lineOffset
    while p < end {
      if templates.pointee.areTried {
        let next = readByTemplate(p, end, number: &number)
        if next != p {
          offset += Int64(next - p)
          p = next
          continue
        }
      } else {
        templates.pointee.rest()
      }
      guard let feed = ByteScan.lineFeed(from: p, to: end, highBits: &highBits) else { break }
      var lineEnd = feed
      if feed > p, feed[-1] == ByteScan.carriageReturn { lineEnd -= 1 }
      number += 1
      if feed <= lastInPlace {
        let verdict = judge(p, lineEnd, isASCII: highBits == 0, number: number, offset: offset)
        if verdict == .accepted, templates.pointee.areTried { learn(p, lineEnd, feed + 1) }
      } else {
        judgeCopy(p, lineEnd, number: number, offset: offset)
      }
      offset += Int64(feed + 1 - p)
      p = feed + 1
    }
    lineNumber = number
    lineOffset = offset
    carry.append(p, end)
  }

  /// Judges what follows the last line feed, if anything does, and returns the counts of the
  /// object. The next object needs a `begin`.
  public func finish() -> LineCounts {
    if let matched = markBytes { startFirstLine(matched) }
    if carry.length > 0 { endCarriedLine(lineEndBytes: 0) }
    counts.accepted = accepted
    counts.lines = accepted + counts.blank + counts.quarantinedTotal
    tally.pointee.report(into: &counts, fieldNames: contract.fields.map(\.name))
    let result = counts
    counts = LineCounts()
    acceptedBefore += accepted
    accepted = 0
    tally.pointee.reset()
    return result
  }

  /// Lines that were accepted in all objects.
  var rows: Int { acceptedBefore + accepted }

  /// Judges one line on its own, as part of the object that was begun: for redrive.
  ///
  /// `line` is what a quarantine record calls the line: without its line end and without a byte
  /// order mark; none of these is looked for. A line holds no line feed, and one that does is
  /// malformed. `lineNumber` and `byteOffset` are where it stands in its object.
  @discardableResult
  public func decodeLine(
    _ line: UnsafeRawBufferPointer, lineNumber: Int64, byteOffset: Int64
  ) -> Verdict {
    guard let base = line.baseAddress else {
      return judgeCopy(lineCopy.start, lineCopy.start, number: lineNumber, offset: byteOffset)
    }
    let start = base.assumingMemoryBound(to: UInt8.self)
    return judgeCopy(start, start + line.count, number: lineNumber, offset: byteOffset)
  }

  /// Judges a line that does not have what the scanner needs behind it.
  @inline(never)
  @discardableResult
  private func judgeCopy(
    _ start: Bytes, _ end: Bytes, number: Int64, offset: Int64
  ) -> Verdict {
    guard end - start <= Self.longestLineBytes else {
      // Neither blanks nor excerpts are read past their end.
      return judge(start, end, isASCII: false, number: number, offset: offset)
    }
    lineCopy.count = 0
    lineCopy.reserve(end - start + 1)
    lineCopy.append(start, count: end - start)
    lineCopy.append(ByteScan.lineFeed)
    let copy = Bytes(lineCopy.start)
    return judge(
      copy, copy + (end - start), isASCII: false, number: number, offset: offset)
  }

  /// Judges the carried line, now that it has ended.
  private func endCarriedLine(lineEndBytes: Int64) {
    lineNumber += 1
    let length = carry.lengthWithoutReturn
    if carry.isTooLong {
      if carry.isBlankThoughTooLong {
        counts.blank += 1
      } else {
        quarantine(
          .lineTooLong, number: lineNumber, offset: lineOffset, length: length,
          raw: carry.buffer.start, count: QuarantineBuffer.longestExcerptBytes)
      }
    } else {
      carry.terminate()
      let start = Bytes(carry.buffer.start)
      judge(
        start, start + Int(length), isASCII: false, number: lineNumber, offset: lineOffset)
    }
    lineOffset += carry.length + lineEndBytes
    carry.removeAll()
  }

  // MARK: The byte order mark

  /// Goes past a byte order mark at the object's start, which may come in several chunks.
  private func skipByteOrderMark(_ start: Bytes, _ end: Bytes) -> Bytes {
    var p = start
    while let matched = markBytes, p < end {
      if p.pointee == Self.byteOrderMark(matched) {
        p += 1
        markBytes = matched + 1
        if matched == 2 {
          markBytes = nil
          lineOffset = 3
        }
      } else {
        startFirstLine(matched)
      }
    }
    return p
  }

  /// Begins the first line with the bytes that turned out to be no byte order mark.
  private func startFirstLine(_ matched: Int) {
    markBytes = nil
    for index in 0..<matched {
      withUnsafePointer(to: Self.byteOrderMark(index)) { carry.append($0, $0 + 1) }
    }
  }

  private static func byteOrderMark(_ index: Int) -> UInt8 {
    switch index {
    case 0: 0xEF
    case 1: 0xBB
    default: 0xBF
    }
  }
}
