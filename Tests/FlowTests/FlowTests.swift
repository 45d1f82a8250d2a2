import Flow
import Logging
import Synchronization
import Testing

@Suite struct FlowTests {
  @Test func `raising a signal again before anybody looked makes one wake`() async {
    let signal = Signal()
    signal.raise()
    signal.raise()
    signal.finish()
    var wakes = 0
    for await _ in signal.wakes { wakes += 1 }
    #expect(wakes == 1)
  }

  @Test(.timeLimit(.minutes(5)))
  func `a backlog holds until there is room`() async {
    let backlog = Backlog(limit: 10)
    let passed = Flag()
    backlog.add(10)
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await backlog.waitForRoom()
        passed.raise()
      }
      for _ in 0..<100 { await Task.yield() }
      #expect(!passed.isRaised)
      backlog.remove(1)
    }
    #expect(passed.isRaised)
  }

  @Test(.timeLimit(.minutes(5)))
  func `closing a backlog and cancelling a task let it go on`() async {
    let backlog = Backlog(limit: 1)
    backlog.add(5)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await backlog.waitForRoom() }
      group.cancelAll()
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await backlog.waitForRoom() }
      backlog.close()
    }
  }

  private final class Flag: Sendable {
    private let value = Mutex(false)

    var isRaised: Bool { value.withLock { $0 } }

    func raise() { value.withLock { $0 = true } }
  }

  private struct Trouble: OutageError, Equatable {
    let isOutage: Bool
  }

  @Test func `an outage is waited out and a defect is not`() async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    var tries = 0
    let value = try await Outage.waitOut(stage: "test", logger: logger) {
      tries += 1
      if tries < 3 { throw Trouble(isOutage: true) }
      return tries
    }
    #expect(value == 3)
    await #expect(throws: Trouble(isOutage: false)) {
      try await Outage.waitOut(stage: "test", logger: logger) { throw Trouble(isOutage: false) }
    }
    await #expect(throws: Trouble(isOutage: true)) {
      try await Outage.waitOut(limit: .zero, stage: "test", logger: logger) {
        throw Trouble(isOutage: true)
      }
    }
  }
}
