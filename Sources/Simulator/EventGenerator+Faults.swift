extension EventGenerator {
  /// From which event on the simulator knows the member of ``FaultKind/drift``.
  private static let driftBegins = 1_000

  /// The fault of the next event, or nil, which it nearly always is.
  @inline(__always)
  mutating func nextFault(number: Int) -> FaultKind? {
    if state.dump != nil { return .offline }
    guard let kind = faults.drawReplacement(using: &state.streams.faults) else { return nil }
    return kind == .drift && number < Self.driftBegins ? nil : kind
  }

  /// A blank line, as one line more.
  mutating func appendBlank(to page: inout Page) {
    page.body.append(contentsOf: LineSpoiler.blankLine(using: &state.streams.blanks).utf8)
    page.body.append(UInt8(ascii: "\n"))
    page.lineCount += 1
    page.answers.append(
      AnswerKeyRecord(sourceObject: page.key.text, line: page.lineCount, fault: .blank))
  }

  /// The line of a fault, in the place of an event's.
  mutating func append(_ kind: FaultKind, insteadOf event: PurchaseEvent, to page: inout Page) {
    switch kind {
    case .late, .offline, .disorder, .clockSkew: appendMoved(event, as: kind, to: &page)
    case .duplicate, .conflict: appendRepeat(kind, insteadOf: event, to: &page)
    default: appendSpoilt(event, as: kind, to: &page)
    }
  }

  /// A clean line whose time is not that of its neighbours.
  private mutating func appendMoved(
    _ event: PurchaseEvent, as kind: FaultKind, to page: inout Page
  ) {
    var moved = event
    switch kind {
    case .offline:
      var dump =
        state.dump
        ?? OfflineDump(
          store: event.store, nowMicros: event.timestampMicros,
          using: &state.streams.faultDetails)
      moved.store = dump.store
      moved.timestampMicros = dump.next(using: &state.streams.faultDetails)
      state.dump = dump.isOver ? nil : dump
    case .disorder:
      moved.timestampMicros -= 1_000_000 + Int64(state.streams.faultDetails.below(599_000_000))
    case .clockSkew: moved.timestampMicros += skewMicros(ofStore: event.store)
    default: moved.timestampMicros -= lateness()
    }
    moved.timestampMicros = min(max(moved.timestampMicros, Self.firstMicros), Self.endMicros - 1)
    // A wrong clock does not change what a thing costs.
    if kind != .clockSkew {
      moved.priceCents = world.priceCents(of: event.product, atMicros: moved.timestampMicros)
    }
    append(moved, to: &page)
    page.answers.append(
      AnswerKeyRecord(
        sourceObject: page.key.text, line: page.lineCount, fault: kind, eventID: moved.id.text))
  }

  /// One to two hours as often as two to four, and so on to 64.
  private mutating func lateness() -> Int64 {
    let hours = Int64(1) << Int64(state.streams.faultDetails.below(6))
    let least = hours * CivilDate.microsPerHour
    return least + Int64(state.streams.faultDetails.below(UInt64(least)))
  }

  /// How far a store's clock is ahead: half a minute to a quarter of an hour, or behind.
  private func skewMicros(ofStore store: UInt32) -> Int64 {
    var random = state.seed.stream(for: "clock_skew", id: UInt64(store))
    let amount = 30_000_000 + Int64(random.below(870_000_000))
    return random.below(2) == 0 ? amount : -amount
  }

  private mutating func appendRepeat(
    _ kind: FaultKind, insteadOf event: PurchaseEvent, to page: inout Page
  ) {
    guard let original = state.history.pick(using: &state.streams.faultDetails) else {
      // Nothing to repeat yet: a world's first event is always its own.
      append(event, to: &page)
      return
    }
    var copy = original.event
    if kind == .conflict {
      // One to four more, counted round from 5 to 1: never the same quantity.
      copy.quantity =
        (copy.quantity + UInt32(truncatingIfNeeded: state.streams.faultDetails.below(4))) % 5 + 1
    }
    writer.append(copy, to: &page.body)
    page.lineCount += 1
    page.answers.append(
      AnswerKeyRecord(
        sourceObject: page.key.text, line: page.lineCount, fault: kind, eventID: copy.id.text,
        originalObject: RawObjectKey.make(
          prefix: state.prefix, arrivalMicros: original.objectArrivalMicros,
          uuid: original.objectID
        ).text,
        originalLine: original.line))
  }

  private mutating func appendSpoilt(
    _ event: PurchaseEvent, as kind: FaultKind, to page: inout Page
  ) {
    let rescued = spoiler.spoil(
      event, as: kind, with: &writer, using: &state.streams.faultDetails)
    page.body.append(contentsOf: spoiler.draft.bytes)
    if kind != .truncated { page.body.append(UInt8(ascii: "\n")) }
    page.lineCount += 1
    if kind.expectedVerdict == .accepted { count(event, without: spoiler.lostField) }
    let id = event.id.text
    page.answers.append(
      AnswerKeyRecord(
        sourceObject: page.key.text, line: page.lineCount, fault: kind,
        eventID: spoiler.draft.contains(Array("\"\(id)\"".utf8)) ? id : nil, rescuedField: rescued))
  }
}
