public import ObjectStore

/// Where a lake is in S3: `s3://bucket/prefix`.
public struct S3Location: Sendable, Equatable {
  public let bucket: String
  /// Empty, or ends with `/`.
  public let prefix: String

  /// Throws `ObjectStoreError.misconfigured` for what is no such place.
  public init(_ url: String) throws {
    func refused(_ reason: String) -> ObjectStoreError {
      ObjectStoreError(
        .misconfigured, "\(url) \(reason): name a place in S3 as s3://bucket/prefix")
    }
    guard url.hasPrefix("s3://") else { throw refused("does not begin with s3://") }
    let parts = url.dropFirst("s3://".count).split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    bucket = String(parts[0])
    guard (3...63).contains(bucket.utf8.count),
      bucket.utf8.allSatisfy({
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E
          // Old buckets.
          || (0x41...0x5A).contains($0) || $0 == 0x5F
      }), bucket.first != ".", bucket.first != "-", !bucket.contains("..")
    else { throw refused("does not name a bucket") }
    var path = parts.count > 1 ? parts[1] : ""
    while path.hasSuffix("/") { path = path.dropLast() }
    guard path.isEmpty || (ObjectKey(String(path)) != nil && path.utf8.count <= 512) else {
      throw refused("has a prefix that no key can begin with")
    }
    guard !path.contains("?"), !path.contains("#") else {
      throw refused("has a prefix with ? or #")
    }
    prefix = path.isEmpty ? "" : "\(path)/"
  }

  public var text: String {
    prefix.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(prefix.dropLast())"
  }

  /// Whether the bucket can stand in a host's name that a certificate of AWS covers.
  var isHostName: Bool {
    bucket.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
    }
  }
}
