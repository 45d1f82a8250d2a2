/// Makes raw objects full of purchase events: the same ones for the same seed, times and faults.
///
/// The generator has no clock. Its caller says when events happen and when an object arrives, be it
/// the wall clock's time or a virtual one, in microseconds since 1970-01-01T00:00:00Z.
///
/// Each event has a place in the world's sequence, whether a fault befalls it or not: a seed's nth
/// event is the same purchase under any fault plan. A fault that takes an event's line, such as a
/// duplicate, drops that purchase.
public struct EventGenerator: Sendable {
  /// The world that the events come from.
  public let world: World
  /// The faults that are injected.
  public let faults: FaultPlan

  private var state: State
  private var writer: EventWriter
  private var spoiler = LineSpoiler()

  /// Starts a generator at its world's first event.
  ///
  /// - Parameters:
  ///   - seed: decides everything; nil for one from the system's randomness.
  ///   - prefix: what the keys of the objects begin with.
  public init(world: World, seed: UInt64?, faults: FaultPlan = .none, prefix: String = "raw") {
    let seed = seed.map { RandomSeed($0) } ?? .fromSystem()
    self.init(world: world, faults: faults, state: State(seed: seed, prefix: prefix, world: world))
  }

  /// Goes on where a generator was when its ``snapshot()`` was taken.
  ///
  /// The faults may be others than before. The world has to be the same.
  ///
  /// - Throws: ``SimulatorError`` with the code `incompatible_state` when it is not, or when the
  ///   state is damaged or another version's.
  public init(world: World, faults: FaultPlan = .none, restoring state: State)
    throws(SimulatorError)
  {
    try state.check(against: world)
    self.init(world: world, faults: faults, state: state)
  }

  private init(world: World, faults: FaultPlan, state: State) {
    self.world = world
    self.faults = faults
    self.state = state
    writer = EventWriter(products: world.products)
  }

  /// The seed, also when it came from the system.
  public var seed: UInt64 { state.seed.value }

  /// How many events have been made so far, faulty ones and repeats included.
  public var eventsMade: Int { state.eventsMade }

  /// How many objects have been made so far.
  public var objectsMade: Int { state.objectsMade }

  /// All that the generator needs to go on later, between two objects.
  public func snapshot() -> State { state }

  /// Makes the next raw object.
  ///
  /// The events' times rise through the interval [start, end), one in each of `eventCount` equal
  /// parts of it; late events and repeats have others. Keys rise from object to object: one that
  /// arrives before its predecessor is filed at the predecessor's time, so that an original always
  /// comes before its repeats. Costs time and memory in proportion to `eventCount`.
  ///
  /// - Parameters:
  ///   - eventCount: how many lines are events, faulty ones and repeats included. Blank lines are
  ///     further lines.
  ///   - storage: the body of an earlier object that is needed no more; its memory is used again.
  /// - Throws: ``SimulatorError`` with the code `invalid_request` for a negative count, an end before
  ///   the start, or a time outside the years 2000 to 2099, which the contract would not accept.
  public mutating func makeObject(
    eventCount: Int, from startMicros: Int64, to endMicros: Int64, arrivalMicros: Int64,
    reusing storage: inout [UInt8]
  ) throws(SimulatorError) -> RawObject {
    try Self.check(eventCount, startMicros, endMicros, arrivalMicros)
    let arrival = max(arrivalMicros, state.lastArrivalMicros)
    let id = state.objectIDs.next(
      atMillis: UInt64(arrival / 1_000), using: &state.streams.objectIDs)
    var page = Page(
      object: id, arrivalMicros: arrival,
      key: .make(prefix: state.prefix, arrivalMicros: arrival, uuid: id), body: [])
    swap(&page.body, &storage)
    page.body.removeAll(keepingCapacity: true)
    page.body.reserveCapacity(eventCount * writer.typicalLineBytes + writer.maximumLineBytes)

    var times = EventTimes(count: eventCount, from: startMicros, to: endMicros)
    for _ in 0..<eventCount {
      let event = world.event(
        id: .version4(high: state.streams.eventIDs.next(), low: state.streams.eventIDs.next()),
        atMicros: times.next(using: &state.streams.times), using: &state.streams.purchases)
      if faults.blankRate > 0, state.streams.blanks.unit() < faults.blankRate {
        appendBlank(to: &page)
      }
      if faults.replacementRate > 0,
        let kind = faults.drawReplacement(using: &state.streams.faults)
      {
        append(kind, insteadOf: event, to: &page)
      } else {
        append(event, to: &page)
      }
    }
    state.lastArrivalMicros = arrival
    state.objectsMade += 1
    state.eventsMade += eventCount
    return RawObject(
      key: page.key, body: page.body, lineCount: page.lineCount, eventCount: eventCount,
      answers: page.answers)
  }

  /// The object at hand, and what there is to know of it.
  private struct Page {
    let object: UUIDBits
    let arrivalMicros: Int64
    let key: RawObjectKey
    var body: [UInt8]
    var lineCount = 0
    var answers: [AnswerKeyRecord] = []
  }

  @inline(__always)
  private mutating func append(_ event: PurchaseEvent, to page: inout Page) {
    writer.append(event, to: &page.body)
    page.lineCount += 1
    if faults.needsHistory {
      state.history.record(
        EventHistory.Entry(
          event: event, objectID: page.object, objectArrivalMicros: page.arrivalMicros,
          line: page.lineCount),
        using: &state.streams.history)
    }
  }

  private mutating func appendBlank(to page: inout Page) {
    page.body.append(contentsOf: LineSpoiler.blankLine(using: &state.streams.blanks).utf8)
    page.body.append(UInt8(ascii: "\n"))
    page.lineCount += 1
    page.answers.append(
      AnswerKeyRecord(sourceObject: page.key.text, line: page.lineCount, fault: .blank))
  }

  private mutating func append(
    _ kind: FaultKind, insteadOf event: PurchaseEvent, to page: inout Page
  ) {
    switch kind {
    case .late: appendLate(event, to: &page)
    case .duplicate, .conflict: appendRepeat(kind, insteadOf: event, to: &page)
    default: appendSpoilt(event, as: kind, to: &page)
    }
  }

  /// One to two hours late as often as two to four, and so on to 64.
  private mutating func appendLate(_ event: PurchaseEvent, to page: inout Page) {
    let hours = Int64(1) << Int64(state.streams.faultDetails.below(6))
    let least = hours * CivilDate.microsPerHour
    let delay = least + Int64(state.streams.faultDetails.below(UInt64(least)))
    var late = event
    late.timestampMicros = max(event.timestampMicros - delay, Self.firstMicros)
    append(late, to: &page)
    page.answers.append(
      AnswerKeyRecord(
        sourceObject: page.key.text, line: page.lineCount, fault: .late, eventID: late.id.text))
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
    page.body.append(UInt8(ascii: "\n"))
    page.lineCount += 1
    let id = event.id.text
    page.answers.append(
      AnswerKeyRecord(
        sourceObject: page.key.text, line: page.lineCount, fault: kind,
        eventID: spoiler.draft.contains(Array("\"\(id)\"".utf8)) ? id : nil, rescuedField: rescued))
  }

  /// 2000-01-01, the first instant that the contract accepts.
  static let firstMicros: Int64 = 946_684_800_000_000
  /// 2100-01-01, the first one after those.
  static let endMicros: Int64 = 4_102_444_800_000_000

  private static func check(
    _ eventCount: Int, _ startMicros: Int64, _ endMicros: Int64, _ arrivalMicros: Int64
  ) throws(SimulatorError) {
    guard eventCount >= 0 else {
      throw SimulatorError(.invalidRequest, "an object cannot have \(eventCount) events")
    }
    guard startMicros <= endMicros else {
      throw SimulatorError(.invalidRequest, "the events would end before they start")
    }
    for micros in [startMicros, endMicros, arrivalMicros]
    where !(firstMicros..<Self.endMicros).contains(micros) {
      throw SimulatorError(
        .invalidRequest,
        "the time \(CivilDate(micros: micros)) is outside the years 2000 to 2099")
    }
  }
}
