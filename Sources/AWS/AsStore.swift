public import ObjectStore

/// Reads settings; errors of AWS become the store's.
public func asStoreSettings<T>(_ body: () throws -> T) throws -> T {
  do { return try body() } catch let failure as AWSError { throw ObjectStoreError(failure) }
}

/// Runs `body`; its errors of AWS become the store's, whose callers know no other.
func asStore<T>(_ body: () async throws -> T) async throws -> T {
  do { return try await body() } catch let failure as AWSError { throw ObjectStoreError(failure) }
}

extension ObjectStoreError {
  init(_ failure: AWSError) {
    let code: Code =
      switch failure.code {
      case .notFound: .notFound
      case .accessDenied: .permission
      case .conflict: .exists
      case .unavailable, .corrupt: .io
      case .credentials, .configuration, .refused: .misconfigured
      }
    self.init(code, failure.message)
  }
}
