extension EventGenerator {
  /// Where a generator stands between two objects; a value that can be stored and restored.
  ///
  /// Encoded it is about 100 KB at most (the events that faults may repeat), else under 2 KB.
  public struct State: Hashable, Codable, Sendable {
    /// The layout of this value; a state of another version is refused.
    static let currentVersion = 2

    private var version = Self.currentVersion
    private var worldFingerprint: UInt64

    let seed: RandomSeed
    let prefix: String
    var streams: Streams
    var objectIDs = ObjectIDSequence()
    var history = EventHistory()
    var dump: OfflineDump?
    var arrivals: Arrivals.Progress?
    var lastArrivalMicros: Int64 = 0
    var objectsMade = 0
    var eventsMade = 0

    init(seed: RandomSeed, prefix: String, world: World) {
      worldFingerprint = world.fingerprint
      self.seed = seed
      self.prefix = prefix
      streams = Streams(seed: seed)
    }

    /// Refuses a state that this world and program would go on from wrongly.
    func check(against world: World) throws(SimulatorError) {
      guard version == Self.currentVersion else {
        throw SimulatorError(
          .incompatibleState,
          "the simulator's saved state has version \(version), not \(Self.currentVersion); "
            + "start without it")
      }
      guard worldFingerprint == world.fingerprint else {
        throw SimulatorError(
          .incompatibleState,
          "the simulator's saved state belongs to another world or catalogue; start without it")
      }
      let times = EventGenerator.firstMicros..<EventGenerator.endMicros
      let prices = 0...ProductCatalogue.maximumPriceCents
      let historyIsSound = history.entries.allSatisfy { entry in
        world.products.indices.contains(entry.event.product)
          && times.contains(entry.event.timestampMicros)
          && times.contains(entry.objectArrivalMicros) && entry.line > 0
          && prices.contains(entry.event.priceCents)
          && (1...UInt32(Int32.max)).contains(entry.event.quantity)
      }
      guard streams.areValid, historyIsSound, history.entries.count <= EventHistory.capacity,
        lastArrivalMicros == 0 || times.contains(lastArrivalMicros), objectsMade >= 0,
        eventsMade >= 0
      else {
        throw SimulatorError(
          .incompatibleState, "the simulator's saved state is damaged; start without it")
      }
    }
  }

  /// The generator's random streams, one a purpose, so that none disturbs another.
  struct Streams: Hashable, Codable, Sendable {
    var purchases: SeededRandom
    var eventIDs: SeededRandom
    var times: SeededRandom
    var objectIDs: SeededRandom
    var faults: SeededRandom
    var faultDetails: SeededRandom
    var blanks: SeededRandom
    var history: SeededRandom
    var objectFaults: SeededRandom
    var arrivals: SeededRandom
    var stores: SeededRandom
    var products: SeededRandom
    var customers: SeededRandom

    init(seed: RandomSeed) {
      purchases = seed.stream(for: "purchases")
      eventIDs = seed.stream(for: "event_ids")
      times = seed.stream(for: "times")
      objectIDs = seed.stream(for: "object_ids")
      faults = seed.stream(for: "faults")
      faultDetails = seed.stream(for: "fault_details")
      blanks = seed.stream(for: "blanks")
      history = seed.stream(for: "history")
      objectFaults = seed.stream(for: "object_faults")
      arrivals = seed.stream(for: "arrivals")
      stores = seed.stream(for: "stores")
      products = seed.stream(for: "products")
      customers = seed.stream(for: "customers")
    }

    var areValid: Bool {
      [
        purchases, eventIDs, times, objectIDs, faults, faultDetails, blanks, history, objectFaults,
        arrivals, stores, products, customers,
      ].allSatisfy(\.isValid)
    }
  }
}
