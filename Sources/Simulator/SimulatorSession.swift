import Foundation
import Lake
import ObjectStore

/// One start of a simulator: the generator at its place, and what is remembered for the next start.
struct SimulatorSession {
  var generator: EventGenerator
  /// Up to when time is covered.
  var simulatedMicros: Int64
  /// How many events there are of this plan, those of earlier starts included.
  private(set) var eventsMade: Int

  private let request: SimulatorRequest
  private var state: SimulatorState
  private var dimensionYears: ClosedRange<Int>?
  private var saved = ContinuousClock.now

  /// Goes on where an earlier start of the same plan was, or begins.
  ///
  /// - Parameter answers: the answer key: what it does not tell of is made again.
  /// - Throws: ``SimulatorError``, for example where the machine has no time zone data.
  init(
    _ request: SimulatorRequest, store: (any ObjectStore)?, answers: AnswerKeyFile?,
    nowMicros: Int64
  ) async throws {
    self.request = request
    let old = request.statePath.flatMap(SimulatorState.read)
    let seed = Self.seed(request, old: old)
    let plan = SimulatorState.Plan(request, seed: seed)
    let firstYear = CivilDate(micros: request.clock?.fromMicros ?? nowMicros).year
    state = SimulatorState(plan: plan)
    state.starts = old?.starts ?? 0
    state.retailSeed = old?.retailSeed
    state.retailFirstYear = old?.retailFirstYear
    if request.world == .retail {
      let known = old?.retailSeed == seed ? old?.retailFirstYear : nil
      state.retailSeed = seed
      state.retailFirstYear = min(known ?? firstYear, firstYear)
    }
    let world: World =
      switch request.world {
      case .plain: .plain(request.catalogue)
      case .retail: .retail(try RetailWorld(catalogue: request.catalogue, seed: seed))
      }
    let keepsTruth = request.answerKey != nil
    simulatedMicros = request.clock?.fromMicros ?? nowMicros
    eventsMade = 0
    if request.clock != nil, let old, old.plan == plan, let progress = old.progress,
      try await Self.isThere(progress.lastObject, in: store, answers: answers),
      let generator = try? EventGenerator(
        world: world, faults: request.faults, restoring: progress.generator,
        keepsTruth: keepsTruth)
    {
      self.generator = generator
      simulatedMicros = progress.simulatedMicros
      eventsMade = progress.eventsMade
      return
    }
    generator = EventGenerator(
      world: world, seed: Self.eventSeed(request, seed: seed, starts: state.starts),
      faults: request.faults, prefix: request.prefix, keepsTruth: keepsTruth)
    state.starts += request.clock == nil ? 1 : 0
    // The seed, and that its ids are in use: that much must outlive a kill at any time. The plain
    // world by the wall clock, as the original script has it, leaves nothing behind.
    if request.clock != nil || request.seed != nil || request.world == .retail { try save() }
  }

  /// Has events happen by the curves of the world, where the pace leaves that to it.
  mutating func beginArrivals(_ planner: ObjectPlanner) {
    if let rate = planner.drawnRate {
      generator.beginArrivals(fromMicros: simulatedMicros, perSecond: rate)
    } else if let interval = planner.filledInterval {
      generator.beginArrivals(
        fromMicros: interval.from, untilMicros: interval.until, count: interval.events)
    }
  }

  /// Takes note of an object that was put.
  mutating func note(_ object: RawObject, simulatedMicros: Int64) throws {
    eventsMade += object.eventCount
    guard request.clock != nil else { return }
    state.progress = SimulatorState.Progress(
      generator: generator.snapshot(), simulatedMicros: simulatedMicros, eventsMade: eventsMade,
      lastObject: object.key.text)
    if ContinuousClock.now - saved > .seconds(1) { try save() }
  }

  /// Remembers the end.
  mutating func close() throws {
    if state.progress != nil { try save() }
  }

  /// Writes the dimension files, unless those in the lake reach far enough.
  mutating func writeDimensions(upTo micros: Int64, in store: any ObjectStore) async throws {
    guard case .retail(let world) = generator.world else { return }
    let last = max(micros, request.clock?.untilMicros ?? micros)
    let first = (state.retailFirstYear ?? CivilDate(micros: micros).year) - 1
    let years = max(2000, first)...min(2099, CivilDate(micros: last).year + 1)
    if dimensionYears?.upperBound == years.upperBound { return }
    for file in DimensionFile.all(of: world, years: years) {
      try await store.replace(file.bytes, at: Self.key(of: file.name))
    }
    dimensionYears = years
  }

  // MARK: -

  /// The seed of the world. One that nobody named is the one that the lake has had.
  private static func seed(_ request: SimulatorRequest, old: SimulatorState?) -> UInt64 {
    if let seed = request.seed { return seed }
    if request.world == .retail, let seed = old?.retailSeed { return seed }
    if request.clock != nil, let old,
      old.plan == SimulatorState.Plan(request, seed: old.plan.seed)
    {
      return old.plan.seed
    }
    return RandomSeed.fromSystem().value
  }

  /// The seed of the events. No two starts in one world may give their events the same ids: by a
  /// virtual clock they differ by its beginning, else by the number of the start.
  private static func eventSeed(_ request: SimulatorRequest, seed: UInt64, starts: Int) -> UInt64? {
    if let from = request.clock?.fromMicros {
      var random = RandomSeed(seed).stream(for: "window", id: UInt64(bitPattern: from))
      return random.next()
    }
    guard request.seed != nil else { return nil }
    if starts == 0 { return seed }
    var random = RandomSeed(seed).stream(for: "start", id: UInt64(starts))
    return random.next()
  }

  private static func isThere(
    _ object: String?, in store: (any ObjectStore)?, answers: AnswerKeyFile?
  ) async throws -> Bool {
    // What a stream took is not looked for.
    guard let store else { return object != nil }
    guard let object, let key = ObjectKey(object) else { return false }
    guard answers?.tells(of: object) ?? true else { return false }
    return try await store.info(key) != nil
  }

  private mutating func save() throws {
    guard let path = request.statePath else { return }
    do {
      try state.write(path)
    } catch {
      throw SimulatorError(
        .incompatibleState, "cannot write \(path): the simulator would not know how far it is")
    }
    saved = .now
  }

  private static func key(of name: DimensionFile.Name) -> ObjectKey {
    switch name {
    case .products: LakeLayout.products
    case .stores: LakeLayout.stores
    case .customerIdentities: LakeLayout.customerIdentities
    }
  }
}
