import Foundation
import Lake
public import ObjectStore

/// Chooses the store for a place that a person named: the one point that knows all backends.
public enum StoreLocation {
  /// - Parameter place: a directory, or later a bucket's URL.
  public static func open(_ place: String) throws -> any ObjectStore {
    if let scheme = place.range(of: "://").map({ place[..<$0.lowerBound] }) {
      throw LakeError(
        .unsupportedPlace,
        "\(place): this version keeps lakes in directories only, not in \(scheme); name a directory"
      )
    }
    return try DirectoryStore(root: (place as NSString).expandingTildeInPath)
  }
}
