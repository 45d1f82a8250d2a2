extension LineSpoiler {
  /// Breaks the grammar of RFC 8259, and nothing that would be judged before it.
  mutating func breakSyntax(using random: inout SeededRandom) {
    switch random.below(10) {
    case 0, 1:
      // Every proper prefix lacks at least the closing brace.
      draft.truncate(to: 1 + Int(random.below(UInt64(draft.bytes.count - 1))))
    case 2: draft.insert(",".utf8, at: draft.bytes.count - 1)
    case 3: draft.removeComma(after: .eventID)
    case 4: draft.removeColon(before: .timestamp)
    case 5: draft.substitute(UInt8(ascii: "\""), with: UInt8(ascii: "'"))
    case 6: draft.replaceValue(of: .price, with: "NaN".utf8)
    case 7: draft.appendInside(.storeID, "\t".utf8)
    case 8: draft.appendInside(.storeID, #"\x41"#.utf8)
    default:
      // A writer died in the middle of a line and its successor wrote the whole of it. The cut is
      // before the catalogue's texts: in one of them it could part a surrogate pair, and that would
      // be the first thing wrong.
      let whole = draft.bytes
      draft.truncate(to: 1 + Int(random.below(UInt64(draft.end(of: .customerID)))))
      draft.append(whole)
    }
  }

  mutating func breakUnicode(using random: inout SeededRandom) {
    let field: DraftLine.Field = random.below(2) == 0 ? .category : .customerID
    switch random.below(9) {
    case 0: draft.appendInside(field, #"\ud83d"#.utf8)
    case 1: draft.appendInside(field, #"\ude00"#.utf8)
    case 2: draft.append([0xff])
    default: draft.appendInside(field, random.pick(Self.invalidUTF8))
    }
  }

  /// A stray continuation, two cut sequences, an overlong slash, a surrogate, past the last code
  /// point, Latin-1.
  private static let invalidUTF8: [[UInt8]] = [
    [0x80], [0xc3], [0xe2, 0x82], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80],
    [0xe9],
  ]

  /// The line's own object is level 1, so 64 containers more reach level 65.
  mutating func nestTooDeep(using random: inout SeededRandom) {
    let depth = 64 + Int(random.below(37))
    let (open, close) = random.below(2) == 0 ? ("[", "]") : (#"{"a": "#, "}")
    let text =
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    draft.appendMember("\"basket\": \(text)".utf8)
  }

  mutating func dropObject(using random: inout SeededRandom) {
    switch random.below(6) {
    case 0, 1:
      draft.insert("[".utf8, at: 0)
      draft.append("]".utf8)
    case 2: draft.replaceAll(with: "[]".utf8)
    case 3: draft.replaceAll(with: "null".utf8)
    case 4: draft.replaceAll(with: "42".utf8)
    default: draft.replaceAll(with: #""purchase""#.utf8)
    }
  }

  mutating func repeatMember(using random: inout SeededRandom) {
    switch random.below(4) {
    case 0: draft.appendMember(#""event_id": "again""#.utf8)
    case 1: draft.appendMember(#""quantity": 1"#.utf8)
    case 2: draft.appendMember(#""\u0074s": null"#.utf8)
    default: draft.appendMember(#""coupon": 1, "coupon": 2"#.utf8)
    }
  }

  mutating func loseMember(_ field: DraftLine.Field, using random: inout SeededRandom) {
    if random.below(2) == 0 {
      draft.removeMember(field)
    } else {
      draft.replaceValue(of: field, with: "null".utf8)
    }
  }

  mutating func breakTimestamp(of event: PurchaseEvent, using random: inout SeededRandom) {
    // "2026-11-23T17:04:05.678901+00:00", quotes included in `whole`.
    let whole = Array(draft.value(of: .timestamp))
    let date = whole[1..<11]
    let quote = Array("\"".utf8)
    let text: [UInt8]
    switch random.below(9) {
    case 0: text = whole[0..<27] + quote
    case 1: text = quote + date + quote
    case 2: text = Array(String(event.timestampMicros / 1_000_000).utf8)
    case 3: text = quote + Array(String(event.timestampMicros / 1_000).utf8) + quote
    case 4: text = quote + date + Array("T24:00:00+00:00\"".utf8)
    case 5: text = whole[0..<6] + Array("02-30T12:00:00+00:00\"".utf8)
    case 6: text = whole[0..<27] + Array("+0000\"".utf8)
    case 7: text = Array(#""yesterday""#.utf8)
    default: text = Array(#""""#.utf8)
    }
    draft.replaceValue(of: .timestamp, with: text)
  }

  mutating func makeTooLong(using random: inout SeededRandom) {
    let opening = #""note": ""#
    let target = Self.maximumLineBytes + 1 + Int(random.below(64))
    // The member adds its comma and blank, its text, the padding and its closing quote.
    let padding = target - draft.bytes.count - 2 - opening.utf8.count - 1
    draft.appendMember(
      Array(opening.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: padding)
        + [UInt8(ascii: "\"")])
  }
}
