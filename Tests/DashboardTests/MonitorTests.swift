import Dashboard
import DuckDB
import Flow
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import TestSupport
import Testing
import Warehouse

@Suite struct MonitorTests {
  private func monitor(_ test: TestLake, patience: Duration = .seconds(120)) -> Monitor {
    Monitor(
      lake: test.lake, ledger: test.ledger, warehouse: test.warehouse, patience: patience)
  }

  @Test func everyLineIsAccountedForAtEachStep() async throws {
    let test = try await TestLake()
    let monitor = monitor(test)
    #expect(try await monitor.read().status.balance.balanced)
    try await test.put("\(TestLake.line(id: "a"))\nno json\n\n", at: "raw/1.json")
    try await test.consume()
    var reading = try await monitor.read()
    #expect(reading.status.balance.balanced)
    #expect(reading.status.balance.checks[0].left == 3)
    #expect(reading.status.pipe.pending == 1)
    #expect(reading.timings[.bronzeBatch]?.count == 1)
    try await test.pipe.runOnce()
    reading = try await monitor.read()
    #expect(reading.status.balance.balanced)
    #expect(reading.status.staging.rows == 1)
    #expect(reading.status.staging.waiting == 1)
    #expect(reading.timings[.pipeLag]?.count == 1)
  }

  @Test func rowsThatVanishedFromTheWarehouseAreAnImbalance() async throws {
    let test = try await TestLake()
    try await test.put("\(TestLake.line(id: "a"))\n\(TestLake.line(id: "b"))\n", at: "raw/1.json")
    try await test.consume()
    try await test.pipe.runOnce()
    try await test.warehouse.withConnection {
      try $0.execute("DELETE FROM retail.raw.raw_purchases_staging WHERE event_id = 'a'")
    }
    // Whoever opens the warehouse next counts what is there.
    try await test.put(TestLake.line(id: "c") + "\n", at: "raw/2.json")
    try await test.consume()
    try await test.pipe.runOnce()
    let balance = try await monitor(test).read().status.balance
    #expect(!balance.balanced)
    #expect(balance.checks.filter { !$0.ok }.map(\.left) == [3])
  }

  @Test func aStageThatDoesNotMoveIsStuckAndOneThatDoesIsNot() async throws {
    let test = try await TestLake()
    try await test.put(TestLake.line(id: "a") + "\n", at: "raw/1.json")
    try await test.consume()
    let later = Date(timeIntervalSinceNow: 300)
    var health = try await monitor(test).read(now: later).health
    #expect(health.checks.filter { !$0.ok && $0.isVital }.map(\.name) == ["pipe"])
    #expect(!health.isAlive)
    // Somebody loads, though the oldest file has waited long.
    try test.ledger.observe([(.pipeLag, seconds: 1)])
    health = try await monitor(test).read(now: Date(timeIntervalSinceNow: 100)).health
    #expect(health.isAlive)
    // A pause is somebody's will.
    try test.ledger.setPipePaused(true)
    #expect(try await monitor(test).read(now: later).health.isAlive)
  }

  @Test(.timeLimit(.minutes(5))) func whatWaitsInRawIsSeenWithoutABronze() async throws {
    let test = try await TestLake()
    for number in 1...3 {
      try await test.put(TestLake.line(id: "\(number)") + "\n", at: "raw/\(number).json")
    }
    try await test.put("a note", at: "raw/README.txt")
    let later = Date(timeIntervalSinceNow: 300)
    var reading = try await monitor(test).read(now: later)
    #expect(reading.status.raw.waiting == 3)
    #expect(reading.status.raw.lagSeconds ?? 0 >= 299)
    #expect(reading.health.checks.filter { !$0.ok && $0.isVital }.map(\.name) == ["bronze"])
    // While one is at work, its word goes.
    try test.ledger.noteRawWaiting(Ledger.RawWaiting(), until: Date(timeIntervalSinceNow: 30))
    #expect(try await monitor(test).read().status.raw.waiting == 0)
    // Once it has said nothing for too long, or has ended, a look does.
    #expect(try await monitor(test).read(now: later).status.raw.waiting == 3)
    let monitor = monitor(test)
    #expect(try await monitor.read(now: later).status.raw.waiting == 3)
    try await test.consume()
    #expect(try test.ledger.isRawWatched(at: Date()) == false)
    // What it found before does not stand against what the ledger says now.
    repeat { reading = try await monitor.read(now: later) } while reading.status.raw.waiting > 0
    #expect(reading.status.raw.objects == 3)
    #expect(reading.status.raw.lagSeconds == nil)
  }

  @Test func ofALakeThatTakesTooLongToListTheLastHoursAreToldAtLeast() async throws {
    let test = try await TestLake()
    let recent = LakeLayout.recentRawHours()[1]
    try await test.put(TestLake.line(id: "new") + "\n", at: "\(recent)new.json")
    for number in 1...2000 {
      try await test.put(TestLake.line(id: "\(number)") + "\n", at: "raw/0000/\(number).json")
    }
    let waiting = try await test.ledger.lookAtRaw(in: test.lake, limit: .zero)
    #expect(waiting.objects == 1001)
    #expect(try await test.ledger.lookAtRaw(in: test.lake).objects == 2001)
  }

  @Test func anOutageIsToldOnceItLasts() async throws {
    let test = try await TestLake()
    struct Locked: OutageError {
      let isOutage = true
    }
    var tries = 0
    try await test.ledger.waitOut(stage: "pipe", logger: test.logger) {
      tries += 1
      if tries == 2 {
        #expect(try test.ledger.outage(of: "pipe")?.reason.contains("Locked") == true)
        let health = try await monitor(test).read(now: Date(timeIntervalSinceNow: 300)).health
        #expect(!health.isAlive)
      }
      if tries < 3 { throw Locked() }
    }
    #expect(try test.ledger.outage(of: "pipe") == nil)
    #expect(try await monitor(test).read().health.isAlive)
  }

  @Test func aTimingIsAHistogramThatGoesOn() async throws {
    let test = try await TestLake()
    try test.ledger.observe([(.refresh, seconds: 0.01), (.refresh, seconds: 2), (.bronzeLag, 9999)])
    try test.ledger.observe([(.refresh, seconds: -3)])
    let timing = try test.ledger.timing(.refresh)
    #expect(timing.count == 3)
    #expect(timing.counts[0] == 2)
    #expect(timing.counts[try #require(Timing.bounds.firstIndex(of: 2.5))] == 1)
    #expect(timing.seconds == 2.01)
    #expect(try test.ledger.timing(.bronzeLag).counts.last == 1)
  }
}
