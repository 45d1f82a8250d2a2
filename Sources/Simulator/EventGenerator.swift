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

  var state: State
  var writer: EventWriter
  var spoiler = LineSpoiler()
  /// The day at which a retail world stands.
  private var tradingDay: TradingDay?
  /// Says when events happen, where that follows the world's curves.
  private var arrivals: Arrivals?
  /// Adds up what is true of the object at hand; nil where nobody asks for it.
  private var tally: TruthTally?

  /// Starts a generator at its world's first event.
  ///
  /// - Parameters:
  ///   - seed: decides everything; nil for one from the system's randomness.
  ///   - prefix: what the keys of the objects begin with.
  ///   - keepsTruth: also adds up what each object adds to gold.
  public init(
    world: World, seed: UInt64?, faults: FaultPlan = .none, prefix: String = "raw",
    keepsTruth: Bool = false
  ) {
    let seed = seed.map { RandomSeed($0) } ?? .fromSystem()
    self.init(
      world: world, faults: faults, state: State(seed: seed, prefix: prefix, world: world),
      keepsTruth: keepsTruth)
  }

  /// Goes on where a generator was when its ``snapshot()`` was taken.
  ///
  /// The faults may be others than before. The world has to be the same.
  ///
  /// - Throws: ``SimulatorError`` with the code `incompatible_state` when it is not, or when the
  ///   state is damaged or another version's.
  public init(
    world: World, faults: FaultPlan = .none, restoring state: State, keepsTruth: Bool = false
  ) throws(SimulatorError) {
    try state.check(against: world)
    self.init(world: world, faults: faults, state: state, keepsTruth: keepsTruth)
  }

  private init(world: World, faults: FaultPlan, state: State, keepsTruth: Bool) {
    self.world = world
    self.faults = faults
    self.state = state
    writer = EventWriter(products: world.products)
    tally = keepsTruth ? TruthTally(products: world.products) : nil
  }

  /// The seed, also when it came from the system.
  public var seed: UInt64 { state.seed.value }

  /// How many events have been made so far, faulty ones and repeats included.
  public var eventsMade: Int { state.eventsMade }

  /// How many objects have been made so far.
  public var objectsMade: Int { state.objectsMade }

  /// All that the generator needs to go on later, between two objects.
  public func snapshot() -> State { state }

  /// From now on ``drawTimes(_:until:reusing:)`` yields a Poisson process of so many events a second
  /// on average over a typical week; it goes on where it was when the state was taken.
  ///
  /// Only a retail world has curves to follow.
  public mutating func beginArrivals(fromMicros start: Int64, perSecond: Double) {
    guard case .retail(let world) = world else { return }
    arrivals = Arrivals(
      world, from: state.arrivals ?? .init(position: .init(micros: start)), perSecond: perSecond)
  }

  /// From now on ``drawTimes(_:until:reusing:)`` yields so many times over the interval.
  public mutating func beginArrivals(
    fromMicros start: Int64, untilMicros end: Int64, count: Int
  ) {
    guard case .retail(let world) = world else { return }
    arrivals = Arrivals(world, from: start, to: end, count: count, progress: state.arrivals)
  }

  /// The times of the next events: `count` of them, or fewer where time comes to `limit`.
  public mutating func drawTimes(
    _ count: Int, until limit: Int64, reusing times: inout [Int64]
  ) {
    arrivals?.next(count, until: limit, using: &state.streams.arrivals, reusing: &times)
    state.arrivals = arrivals?.progress
  }

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
    return makeObject(
      eventCount: eventCount, at: EventTimes(count: eventCount, from: startMicros, to: endMicros),
      arrivalMicros: arrivalMicros, reusing: &storage)
  }

  /// Makes the next raw object, its events at times that were worked out before, as by
  /// ``drawTimes(_:until:reusing:)``.
  ///
  /// - Throws: ``SimulatorError`` as ``makeObject(eventCount:from:to:arrivalMicros:reusing:)`` does.
  public mutating func makeObject(
    at times: [Int64], arrivalMicros: Int64, reusing storage: inout [UInt8]
  ) throws(SimulatorError) -> RawObject {
    try Self.check(
      times.count, times.first ?? arrivalMicros, times.last ?? arrivalMicros, arrivalMicros)
    return makeObject(
      eventCount: times.count, at: ListedTimes(times), arrivalMicros: arrivalMicros,
      reusing: &storage)
  }

  private mutating func makeObject(
    eventCount: Int, at times: some EventTimeSource, arrivalMicros: Int64,
    reusing storage: inout [UInt8]
  ) -> RawObject {
    let arrival = max(arrivalMicros, state.lastArrivalMicros)
    let id = state.objectIDs.next(
      atMillis: UInt64(arrival / 1_000), using: &state.streams.objectIDs)
    var page = Page(
      object: id, arrivalMicros: arrival,
      key: .make(prefix: state.prefix, arrivalMicros: arrival, uuid: id), body: [])
    swap(&page.body, &storage)
    page.body.removeAll(keepingCapacity: true)
    page.body.reserveCapacity(eventCount * writer.typicalLineBytes + writer.maximumLineBytes)
    let isTruncated =
      faults.truncatedRate > 0 && state.streams.objectFaults.unit() < faults.truncatedRate

    var times = times
    for index in 0..<eventCount {
      let event = nextEvent(atMicros: times.next(using: &state.streams.times))
      if faults.blankRate > 0, state.streams.blanks.unit() < faults.blankRate {
        appendBlank(to: &page)
      }
      if faults.replacementRate > 0, let kind = nextFault(number: state.eventsMade + index) {
        append(kind, insteadOf: event, to: &page)
      } else if isTruncated, index == eventCount - 1 {
        append(.truncated, insteadOf: event, to: &page)
      } else {
        append(event, to: &page)
      }
    }
    state.lastArrivalMicros = arrival
    state.objectsMade += 1
    state.eventsMade += eventCount
    return RawObject(
      key: page.key, body: page.body, lineCount: page.lineCount, eventCount: eventCount,
      answers: page.answers, truth: tally?.take())
  }

  @inline(__always)
  private mutating func nextEvent(atMicros micros: Int64) -> PurchaseEvent {
    let id = UUIDBits.version4(
      high: state.streams.eventIDs.next(), low: state.streams.eventIDs.next())
    switch world {
    case .plain(let world):
      return world.event(id: id, atMicros: micros, using: &state.streams.purchases)
    case .retail(let world):
      let number = CivilDate.daysSinceEpoch(ofMicros: micros)
      if tradingDay?.day != number { tradingDay = world.tradingDay(number) }
      guard let tradingDay else { preconditionFailure("the day was set right above") }
      return world.event(id: id, atMicros: micros, on: tradingDay, using: &state.streams)
    }
  }

  /// The object at hand, and what there is to know of it.
  struct Page {
    let object: UUIDBits
    let arrivalMicros: Int64
    let key: RawObjectKey
    var body: [UInt8]
    var lineCount = 0
    var answers: [AnswerKeyRecord] = []
  }

  @inline(__always)
  mutating func append(_ event: PurchaseEvent, to page: inout Page) {
    writer.append(event, to: &page.body)
    page.lineCount += 1
    tally?.add(event)
    if faults.needsHistory {
      state.history.record(
        EventHistory.Entry(
          event: event, objectID: page.object, objectArrivalMicros: page.arrivalMicros,
          line: page.lineCount),
        using: &state.streams.history)
    }
  }

  /// Adds an accepted line that the writer did not write to what is true.
  mutating func count(_ event: PurchaseEvent, without field: DraftLine.Field?) {
    tally?.add(event, without: field)
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
