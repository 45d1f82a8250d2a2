import Foundation

/// Keeps a progress line on a terminal, or writes it now and then where stderr is a file.
struct Progress: Sendable {
  private let line: @Sendable () -> String

  init(_ line: @escaping @Sendable () -> String) { self.line = line }

  /// Shows the line while `work` runs, and once more at its end.
  func during<T: Sendable>(isShown: Bool = true, _ work: @escaping @Sendable () async throws -> T)
    async throws -> T
  {
    guard isShown else { return try await work() }
    let pause = Terminal.isInteractive ? Duration.milliseconds(250) : .seconds(5)
    defer { Terminal.clear() }
    return try await withThrowingTaskGroup(of: T?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while true {
          do { try await Task.sleep(for: pause) } catch { return nil }
          if Terminal.isInteractive { Terminal.show(line()) } else { Terminal.note(line()) }
        }
      }
      while let result = try await group.next() {
        guard let result else { continue }
        group.cancelAll()
        return result
      }
      throw CancellationError()
    }
  }
}
