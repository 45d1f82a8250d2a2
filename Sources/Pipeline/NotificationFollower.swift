import AWS
import Flow
import Lake
import Ledger
public import Logging
import ObjectStore
import ServiceLifecycle

/// Has a queue's messages wake the stages, and removes each once its objects are taken care of.
///
/// A message is removed only when the ledger knows what became of its objects: consumed by a commit
/// or parked for raw objects, taken up from a commit for what others committed. Until then it stays
/// hidden, for as long as this process lives; should it die, the message comes again.
public struct NotificationFollower: Sendable {
  private static let lookAgain = Duration.milliseconds(500)

  private let queue: any ObjectNotifications
  private let store: S3Store
  private let ledger: Ledger
  private let prefixes: [String]
  private let logger: Logger

  /// - Parameters:
  ///   - store: the lake's, which hands on the hints.
  ///   - prefixes: whose objects this process takes care of: `raw/`, `bronze/`, `commits/`. Messages
  ///     of others are removed.
  init(
    queue: any ObjectNotifications, store: S3Store, ledger: Ledger, prefixes: [String],
    logger: Logger
  ) {
    self.queue = queue
    self.store = store
    self.ledger = ledger
    self.prefixes = prefixes
    self.logger = logger
  }

  /// Follows the queue while `body` runs.
  public func during(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let held = Held()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for work in [receive, follow] {
        group.addTask {
          try await cancelWhenGracefulShutdown { try await work(held) }
          return false
        }
      }
      group.addTask(executorPreference: BlockingExecutor.shared) {
        try await body()
        return true
      }
      do {
        while let isBody = try await group.next(), !isBody {}
      } catch is CancellationError where Task.isShuttingDownGracefully {
        // The queue is not followed any more; the stages finish what is at hand.
        while let isBody = try await group.next(), !isBody {}
      }
      group.cancelAll()
    }
    // What was finished last.
    try? await settle(held)
  }

  // MARK: -

  /// The messages that are neither removed nor given back.
  private actor Held {
    private var waiting: [(message: ObjectNotification, extended: ContinuousClock.Instant)] = []

    var messages: [ObjectNotification] { waiting.map(\.message) }

    func add(_ messages: [ObjectNotification]) {
      waiting += messages.map { ($0, .now) }
    }

    func remove(_ receipts: Set<String>) {
      waiting.removeAll { receipts.contains($0.message.receipt) }
    }

    /// Those that would come into sight soon.
    func fading(_ visibility: Duration) -> [ObjectNotification] {
      let limit = ContinuousClock.now - visibility / 2
      var found: [ObjectNotification] = []
      for index in waiting.indices where waiting[index].extended < limit {
        waiting[index].extended = .now
        found.append(waiting[index].message)
      }
      return found
    }
  }

  private func receive(_ held: Held) async throws {
    while true {
      let messages = try await Outage.waitOut(stage: "queue", logger: logger) {
        try await queue.receive()
      }
      try Task.checkCancellation()
      await held.add(messages)
      for key in messages.flatMap(\.keys) { hint(key) }
      // A queue that answers at once with nothing must not be asked without a pause.
      if messages.isEmpty { try await Task.sleep(for: Self.lookAgain) }
    }
  }

  private func follow(_ held: Held) async throws {
    let visibility = try await Outage.waitOut(stage: "queue", logger: logger) {
      try await queue.visibility()
    }
    while true {
      try await Task.sleep(for: Self.lookAgain)
      try await Outage.waitOut(stage: "queue", logger: logger) {
        try await settle(held)
        let fading = await held.fading(visibility)
        if !fading.isEmpty { try await queue.extend(fading, by: visibility) }
      }
    }
  }

  /// Removes the messages whose objects are taken care of.
  private func settle(_ held: Held) async throws {
    var done: [ObjectNotification] = []
    for message in await held.messages {
      var isDone = true
      for key in message.keys where isDone { isDone = try await isTakenCareOf(key) }
      if isDone { done.append(message) }
    }
    if done.isEmpty { return }
    try await queue.acknowledge(done)
    await held.remove(Set(done.map(\.receipt)))
  }

  private func hint(_ key: ObjectKey) {
    store.hint(key)
    // The pipe goes by commits, and a file of bronze is there because of one.
    if key.text.hasPrefix(LakeLayout.bronze) { store.hint(LakeLayout.commit(0)) }
  }

  private func isTakenCareOf(_ key: ObjectKey) async throws -> Bool {
    guard prefixes.contains(where: { key.text.hasPrefix($0) }) else { return true }
    if key.text.hasPrefix(LakeLayout.commits) {
      return try Int(key.name.dropLast(".json".count)).map { try ledger.lastCommit() >= $0 } ?? true
    }
    if key.text.hasPrefix(LakeLayout.bronze) {
      if try ledger.isLoaded(key) { return true }
    } else {
      guard LakeLayout.isRawObject(key) else { return true }
      if try ledger.isSettled(key) { return true }
    }
    // Or it is gone.
    return try await store.info(key) == nil
  }
}

extension Workspace {
  /// Follows the queue at `url`, to which S3 tells what is put into the lake.
  ///
  /// - Parameter prefixes: whose objects this process takes care of.
  public func notifications(
    _ url: String, of prefixes: [String], logger: Logger
  ) throws -> NotificationFollower {
    guard case .s3(let location) = try StoreLocation(lake.store.location),
      let store = lake.store as? S3Store
    else {
      throw LakeError(
        .unsupportedPlace,
        "--queue tells of objects in S3, and this lake is in a directory: leave it out, a directory tells by itself"
      )
    }
    let queue = try SQSQueue(
      url: url, place: location, environment: StoreLocation.aws(), logger: logger)
    return NotificationFollower(
      queue: queue, store: store, ledger: ledger, prefixes: prefixes, logger: logger)
  }
}
