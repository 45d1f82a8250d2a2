public import AWS
import Foundation
import Lake
public import ObjectStore

/// Where a lake is: the one point that knows all backends.
public enum StoreLocation: Sendable, Equatable {
  case directory(String)
  case s3(S3Location)

  /// - Parameter place: a directory, or `s3://bucket/prefix`.
  public init(_ place: String) throws {
    if place.lowercased().hasPrefix("s3:") {
      self = .s3(try S3Location(place))
      return
    }
    guard let scheme = place.range(of: "://").map({ place[..<$0.lowerBound] }) else {
      self = .directory((place as NSString).expandingTildeInPath)
      return
    }
    throw ObjectStoreError(
      .misconfigured,
      "\(place): lakes are kept in directories and in S3, not in \(scheme); name a directory, or s3://bucket/prefix"
    )
  }

  /// Where this host keeps what belongs to a lake, unless a person says otherwise: beside it, or
  /// for one in S3 below the current directory.
  public var defaultState: String {
    switch self {
    case .directory(let path): path
    case .s3(let location): "./medallion-state/\(location.bucket)/\(location.prefix)"
    }
  }

  /// - Parameter state: where this host keeps its own files.
  public func open(state: String) throws -> any ObjectStore {
    switch self {
    case .directory(let path): try DirectoryStore(root: path)
    case .s3(let location):
      try S3Store(location, environment: Self.aws(), scratch: "\(state)/transfer")
    }
  }

  /// Whether there is something that a lake could be made of: a directory, or raw objects in S3.
  public func exists(_ store: any ObjectStore) async throws -> Bool {
    guard case .s3 = self else { return true }
    var hasRaw = false
    try await store.list(LakeLayout.raw) { _ in
      hasRaw = true
      return false
    }
    return hasRaw
  }

  /// The settings of AWS on this host.
  static func aws() throws -> AWSEnvironment {
    try asStoreSettings { try AWSEnvironment() }
  }
}
