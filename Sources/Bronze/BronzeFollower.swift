public import Flow
import Foundation
import Lake
import Ledger
import ObjectStore
import ServiceLifecycle

/// Runs bronze: once over what is there, or on and on.
public struct BronzeFollower: Sendable {
  /// What whoever runs it needs to know of its pace.
  public struct Pace: Sendable {
    /// Raw bytes that were put and not consumed: holds the simulator back.
    public var rawBacklog: Backlog?
    /// Published files that are not loaded: holds bronze back.
    public var loadBacklog: Backlog?
    /// Least time from one batch to the next, so that a trickle does not make a file an event.
    public var interval: Duration

    public init(
      rawBacklog: Backlog? = nil, loadBacklog: Backlog? = nil,
      interval: Duration = .milliseconds(250)
    ) {
      self.rawBacklog = rawBacklog
      self.loadBacklog = loadBacklog
      self.interval = interval
    }
  }

  private static let recentSweep = Duration.seconds(5)
  /// A sweep may take this part of the time at most.
  private static let sweepShare = 50
  /// How long a run over what is there waits for an outage to end.
  private static let outageLimit = Duration.seconds(30)
  private static let fullSweep = Duration.seconds(600)

  private let stage: BronzeStage
  private let pace: Pace
  private let committed: Signal

  /// - Parameter committed: raised after each batch, finished at the end.
  public init(stage: BronzeStage, pace: Pace = Pace(), committed: Signal = Signal()) {
    self.stage = stage
    self.pace = pace
    self.committed = committed
  }

  /// Consumes everything that is there, files that are still being copied in once they rest, and
  /// returns.
  public func runOnce() async throws {
    defer {
      try? stage.ledger.endRawWatch()
      committed.finish()
    }
    try await stage.recover()
    try await drain(try await fullInbox(), limit: Self.outageLimit)
  }

  /// Consumes what is there and what comes, until a graceful shutdown, or until `upstream` has
  /// finished and all of it is consumed.
  public func run(upstream: Signal? = nil) async throws {
    defer {
      try? stage.ledger.endRawWatch()
      committed.finish()
    }
    try await stage.recover()
    // Watched before it is listed, so that nothing falls between.
    let changes = stage.lake.store.changes(LakeLayout.raw)
    let inbox = try await fullInbox()
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { for await change in changes { inbox.add(change) } }
        group.addTask { try await Self.sweepNowAndThen(inbox) }
        if let upstream {
          group.addTask {
            for await _ in upstream.wakes {}
            inbox.listAll()
            inbox.signal.finish()
          }
        }
        for await _ in inbox.signal.wakes {
          let began = ContinuousClock.now
          let unsettled = try await persist(inbox)
          committed.raise()
          if !unsettled.isEmpty {
            group.addTask {
              try await Task.sleep(for: stage.lake.store.settleTime / 4)
              inbox.lookAgain(at: unsettled)
            }
          }
          if Task.isShuttingDownGracefully { break }
          // Lets a trickle gather; under load a turn takes longer than this anyway.
          let rest = pace.interval - (ContinuousClock.now - began)
          if rest > .zero {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: rest) }
          }
        }
        group.cancelAll()
      }
      if !Task.isShuttingDownGracefully, upstream != nil {
        // What was being looked at when the last hint came is found again.
        inbox.listAll()
        try await drain(inbox)
      }
    } onGracefulShutdown: {
      inbox.signal.finish()
    }
  }

  // MARK: -

  /// An inbox that begins with everything.
  private func fullInbox() async throws -> RawInbox {
    try await forgetRemoved()
    let inbox = RawInbox()
    inbox.listAll()
    inbox.lookAgain(at: try stage.ledger.tried(stage: "bronze"))
    return inbox
  }

  /// A parked object that a person has taken away is no trouble any more. One that vanished by
  /// itself is.
  private func forgetRemoved() async throws {
    for parked in try stage.ledger.parked(stages: ["bronze"])
    where parked.reason != RawObjectFault.Reason.vanished.rawValue {
      if try await stage.lake.store.info(parked.key) == nil {
        try stage.ledger.unpark(parked.key)
      }
    }
  }

  private static func sweepNowAndThen(_ inbox: RawInbox) async throws {
    var sinceFull = Duration.zero
    while true {
      let pause = pause(inbox)
      try await Task.sleep(for: pause)
      sinceFull += pause
      if sinceFull >= fullSweep {
        sinceFull = .zero
        inbox.listAll()
      } else {
        inbox.listRecent()
      }
    }
  }

  /// From one sweep to the next.
  private static func pause(_ inbox: RawInbox) -> Duration {
    max(recentSweep, inbox.lastSweep * sweepShare)
  }

  /// Takes turns until nothing is left that could still be consumed.
  private func drain(_ inbox: RawInbox, limit: Duration? = nil) async throws {
    while !Task.isShuttingDownGracefully {
      let unsettled = try await persist(inbox, limit: limit)
      let contents = unsettled.union(try stage.ledger.tried(stage: "bronze"))
      if contents.isEmpty { return }
      // Nothing announces that a file rests: its time has to pass.
      try await Task.sleep(for: stage.lake.store.settleTime / 4)
      inbox.lookAgain(at: contents)
    }
  }

  /// Takes a turn, again and again while an outage lasts. What the inbox held before it is found
  /// again by listing.
  private func persist(_ inbox: RawInbox, limit: Duration? = nil) async throws -> Set<ObjectKey> {
    var hasFailed = false
    return try await stage.ledger.waitOut(limit: limit, stage: "bronze", logger: stage.logger) {
      // What a failed turn left in tmp/ is published if it was committed, and removed if not.
      if hasFailed { try await stage.recover() }
      do {
        return try await turn(inbox)
      } catch {
        hasFailed = true
        inbox.listAll()
        throw error
      }
    }
  }

  /// Consumes what the inbox holds; returns the keys to look at again.
  private func turn(_ inbox: RawInbox) async throws -> Set<ObjectKey> {
    // What others committed is published before this waits: the pipe makes room by loading it.
    try await stage.ledger.catchUp(with: stage.lake)
    try await stage.committer.publishAll()
    committed.raise()
    await pace.loadBacklog?.waitForRoom()
    let contents = inbox.take()
    var found = try await lookUp(contents, inbox)
    let began = ContinuousClock.now
    if contents.mustListAll {
      try await listAll(into: &found, inbox)
    } else if contents.mustListRecent {
      try await listRecent(into: &found, inbox)
      inbox.noteSweep(ContinuousClock.now - began)
    }
    try noteWaiting(Array(found.whole.values), inbox)
    let failed = try await stage.consume(Array(found.whole.values)) {
      Task.isShuttingDownGracefully
    }
    let left = found.unsettled.union(failed)
    try noteWaiting(failed.compactMap { found.whole[$0] }, inbox)
    // Whoever consumed, parked or lost them: nothing is behind any more.
    if left.isEmpty { pace.rawBacklog?.set(0) }
    return left
  }

  /// Tells whoever watches what waits. While a batch takes longer than the word stands, they look for
  /// themselves.
  private func noteWaiting(_ objects: [ObjectInfo], _ inbox: RawInbox) throws {
    let stands = Self.pause(inbox) + .seconds(30)
    try stage.ledger.noteRawWaiting(
      Ledger.RawWaiting(objects), until: Date(timeIntervalSinceNow: stands / .seconds(1)))
  }

  private struct Found {
    var whole: [ObjectKey: ObjectInfo] = [:]
    var unsettled: Set<ObjectKey> = []

    mutating func add(_ object: ObjectInfo, isWhole: Bool) {
      if isWhole { whole[object.key] = object } else { unsettled.insert(object.key) }
    }
  }

  private func lookUp(_ contents: RawInbox.Contents, _ inbox: RawInbox) async throws -> Found {
    let store = stage.lake.store
    var found = Found()
    for object in try await store.infos(contents.whole.filter(LakeLayout.isRawObject)) {
      found.whole[object.key] = object
    }
    let tried = contents.touched.isEmpty ? [] : Set(try stage.ledger.tried(stage: "bronze"))
    var touched: [ObjectInfo] = []
    for key in contents.touched where LakeLayout.isRawObject(key) {
      if let object = try await store.info(key) {
        touched.append(object)
      } else if tried.contains(key) {
        // It was there before: reading it counts as the next try.
        found.whole[key] = ObjectInfo(key: key, sizeBytes: 0, modifiedNanos: 0)
      }
    }
    for object in try await stage.census.waiting(among: touched) {
      found.add(object, isWhole: inbox.hasRested(object, for: store.settleTime))
    }
    return found
  }

  private func listAll(into found: inout Found, _ inbox: RawInbox) async throws {
    try stage.ledger.setGauge("raw.ignored", try await list(LakeLayout.raw, into: &found, inbox))
  }

  /// The hours in which objects arrive now.
  private func listRecent(into found: inout Found, _ inbox: RawInbox) async throws {
    for hour in LakeLayout.recentRawHours() { _ = try await list(hour, into: &found, inbox) }
  }

  /// Returns how many entries are no raw objects.
  private func list(
    _ prefix: String, into found: inout Found, _ inbox: RawInbox
  ) async throws -> Int {
    try await stage.lake.listRaw(prefix) { page in
      for object in try await stage.census.waiting(among: page) {
        found.add(object, isWhole: inbox.hasRested(object, for: stage.lake.store.settleTime))
      }
      return true
    }
  }
}
