import ObjectStore

/// Opens objects one after another, and where a store takes long to answer, some ahead of those
/// that are read.
struct ReadAhead {
  let store: any ObjectStore
  /// How many objects are opened ahead; with less than two, each is opened when it is its turn.
  let atOnce: Int
  /// The next object; nil if there are no more.
  let next: @Sendable () -> ObjectInfo?

  /// Calls `body` with each object, and with what gives its reader or throws why there is none.
  func eachObject(
    _ body: (ObjectInfo, _ open: () throws -> any ObjectReader) async throws -> Void
  ) async throws {
    guard atOnce > 1 else {
      while let object = next() {
        try Task.checkCancellation()
        let opened = await open(object)
        try await body(object) { try opened.reader.get() }
      }
      return
    }
    try await withThrowingTaskGroup(of: Opened.self) { group in
      func openNext() {
        if let object = next() { group.addTask { await open(object) } }
      }
      for _ in 0..<atOnce { openNext() }
      while let opened = try await group.next() {
        openNext()
        try Task.checkCancellation()
        try await body(opened.object) { try opened.reader.get() }
      }
    }
  }

  /// Unchecked, because a reader is not sendable. Sound, because it has one owner at a time: the task
  /// that opened it ends with handing it over, and only the one that takes it reads.
  private struct Opened: @unchecked Sendable {
    let object: ObjectInfo
    let reader: Result<any ObjectReader, any Error>
  }

  private func open(_ object: ObjectInfo) async -> Opened {
    do {
      return Opened(
        object: object, reader: .success(try await RawObjectReader.open(object.key, in: store)))
    } catch {
      return Opened(object: object, reader: .failure(error))
    }
  }
}
