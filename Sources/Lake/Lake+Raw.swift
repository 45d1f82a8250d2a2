public import ObjectStore

extension Lake {
  /// The raw objects below `prefix`, in pages of a thousand entries and a last one, until `body`
  /// returns false.
  ///
  /// Returns how many entries it passed over, because they are no raw objects.
  @discardableResult
  public func listRaw(
    _ prefix: String = LakeLayout.raw, _ body: ([ObjectInfo]) async throws -> Bool
  ) async throws -> Int {
    var page: [ObjectInfo] = []
    var ignored = 0
    var seen = 0
    var goesOn = true
    let passedOver = try await store.list(prefix) { object in
      seen += 1
      if LakeLayout.isRawObject(object.key) { page.append(object) } else { ignored += 1 }
      if seen % 1000 == 0 {
        goesOn = try await body(page)
        page.removeAll(keepingCapacity: true)
      }
      return goesOn
    }
    if goesOn { _ = try await body(page) }
    return ignored + passedOver
  }
}
