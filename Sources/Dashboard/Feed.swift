import Flow
import Foundation
import Lake
import Ledger
import Logging
import NIOCore
import ServiceLifecycle
import Warehouse

/// Keeps what pages show up to date: looks at the lake each second, renders each view once for all
/// who look at it, and wakes them.
///
/// A viewer asks for what changed since the last time that it was told, so one that is slow, or was
/// away, misses nothing but what has been replaced since.
actor Feed {
  private static let interval = Duration.seconds(1)
  /// How often the pointer of gold is read where no ledger tells that it was switched.
  private static let pointerInterval = Duration.seconds(10)
  private static let shownEvents = 25

  /// A view that somebody looks at.
  private struct Shown {
    var parts: [String: (html: String, version: Int)] = [:]
    /// What viewers were told last, since most of them were told the same before.
    var told: (since: Int, version: Int, message: ByteBuffer)?
  }

  private let monitor: Monitor
  private let gold: GoldReader
  private let samples: QuarantineSamples
  nonisolated let page: Page
  nonisolated let viewers = Viewers()
  private let logger: Logger
  private var version = 0
  private var shown: [View: Shown] = [:]

  private var reading: Monitor.Reading?
  /// Why the last look failed; nil if it did not.
  private var failure: (any Error)?
  /// What is the same for every view; nil until somebody looks at this reading.
  private var common: Fragments?
  private var refresh: String?
  /// The refresh that the ledger told of when the pointer was read.
  private var published: BatchID?
  private var pointerRead: ContinuousClock.Instant?
  private var goldParts: [View: (refresh: String?, parts: Fragments)] = [:]

  init(monitor: Monitor, page: Page, logger: Logger) {
    self.monitor = monitor
    gold = GoldReader(lake: monitor.lake)
    samples = QuarantineSamples(lake: monitor.lake)
    self.page = page
    self.logger = logger
  }

  /// Looks, again and again, until a graceful shutdown.
  func run() async throws {
    defer { viewers.end() }
    var told: String?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do {
        try await update()
        told = nil
      } catch {
        // The pages keep what they show, and say how old it is.
        let reason = String(describing: error)
        if told != reason {
          logger.warning("the dashboard waits", metadata: ["reason": "\(reason)"])
        }
        told = reason
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
    }
  }

  /// The state of the lake, as of the last look or, where nobody looks, now. Throws why the last look
  /// failed: what was seen before it is no answer to whoever watches over the pipeline.
  func currentReading() async throws -> Monitor.Reading {
    let reading = try await lastReading()
    if let failure { throw failure }
    return reading
  }

  // MARK: -

  private func update() async throws {
    try await look()
    version += 1
    let views = viewers.views
    shown = shown.filter { views.contains($0.key) }
    for view in views {
      var one = shown[view] ?? Shown()
      for (name, html) in try await parts(view) where one.parts[name]?.html != html {
        one.parts[name] = (html, version)
      }
      shown[view] = one
    }
    viewers.wake()
  }

  /// The state of the lake as it was last seen.
  private func lastReading() async throws -> Monitor.Reading {
    if reading == nil { try await look() }
    guard let reading else { throw CancellationError() }
    return reading
  }

  private func look() async throws {
    do {
      try await read()
      failure = nil
    } catch {
      failure = error
      throw error
    }
  }

  private func read() async throws {
    reading = try await monitor.read()
    common = nil
  }

  /// Renders what is the same for every view, and sees whether gold was published anew. Nobody pays
  /// for it where nobody looks.
  private func prepare() async throws -> Fragments {
    if let common { return common }
    let reading = try await lastReading()
    let ledger = monitor.ledger
    let number = try ledger.lastPipeEventNumber()
    let parts = page.common(
      reading, samples: try await samples.read(ledger),
      events: try ledger.pipeEvents(
        after: max(0, number - Self.shownEvents), since: 0, newest: Self.shownEvents),
      lastTests: try TransformReport.lastBuild(in: ledger))
    let isDue = pointerRead.map { .now - $0 > Self.pointerInterval } ?? true
    if reading.published != published || refresh == nil || isDue {
      refresh = try await gold.refresh()
      published = reading.published
      pointerRead = .now
    }
    common = parts
    return parts
  }

  /// A view's parts as they stand.
  private func parts(_ view: View) async throws -> Fragments {
    let common = try await prepare()
    var known = goldParts[view]
    if known == nil || known?.refresh != refresh {
      let refresh = refresh
      let parts = page.gold(try await gold.sales(view), view)
      known = (refresh, parts)
      if goldParts.count >= Viewers.mostViews { goldParts.removeAll() }
      goldParts[view] = known
    }
    return common.merging(known?.parts ?? [:]) { $1 }
  }

  /// The page for a view.
  func document(_ view: View) async throws -> String {
    // Without somebody who looks each second what is known may be old.
    let reading = try await lastReading()
    return page.document(try await parts(view), view, lake: reading.status.lake)
  }

  /// What changed in a view since a version, as an event of its stream; nil if nothing did.
  func message(_ view: View, since: Int) throws -> (version: Int, message: ByteBuffer)? {
    guard let one = shown[view] else { return nil }
    if let told = one.told, told.since == since, told.version == version {
      return (version, told.message)
    }
    let changed = one.parts.filter { $0.value.version > since }.mapValues(\.html)
    guard !changed.isEmpty else { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var message = ByteBuffer(string: "event: update\nid: \(version)\ndata: ")
    message.writeBytes(try encoder.encode(changed))
    message.writeString("\n\n")
    shown[view]?.told = (since, version, message)
    return (version, message)
  }
}
