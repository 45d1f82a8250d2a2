/// Work on many things of which each mostly waits.
public enum Concurrently {
  /// Runs `body` on every element, so many at once; in order, and in this task, where that is one.
  ///
  /// After an error the others are cancelled, and no more are begun.
  public static func forEach<Element: Sendable>(
    _ elements: [Element], atOnce limit: Int,
    _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    if limit < 2 || elements.count < 2 {
      for element in elements { try await body(element) }
      return
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      var rest = elements[...]
      for element in rest.prefix(limit) { group.addTask { try await body(element) } }
      rest = rest.dropFirst(limit)
      while try await group.next() != nil {
        if let element = rest.popFirst() { group.addTask { try await body(element) } }
      }
    }
  }

  /// What `body` makes of every element, in their order.
  public static func map<Element: Sendable, Result: Sendable>(
    _ elements: [Element], atOnce limit: Int,
    _ body: @escaping @Sendable (Element) async throws -> Result
  ) async throws -> [Result] {
    if limit < 2 || elements.count < 2 {
      var results: [Result] = []
      for element in elements { results.append(try await body(element)) }
      return results
    }
    return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      var results = [Result?](repeating: nil, count: elements.count)
      var next = 0
      func begin() {
        guard next < elements.count else { return }
        let index = next
        next += 1
        group.addTask { (index, try await body(elements[index])) }
      }
      for _ in 0..<limit { begin() }
      while let (index, result) = try await group.next() {
        results[index] = result
        begin()
      }
      return results.compactMap(\.self)
    }
  }
}
