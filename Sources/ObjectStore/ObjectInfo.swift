/// What a listing tells about an object.
public struct ObjectInfo: Hashable, Sendable {
  public let key: ObjectKey
  public let sizeBytes: Int64
  /// When its content last changed, in nanoseconds since 1970-01-01 UTC.
  public let modifiedNanos: Int64

  public init(key: ObjectKey, sizeBytes: Int64, modifiedNanos: Int64) {
    self.key = key
    self.sizeBytes = sizeBytes
    self.modifiedNanos = modifiedNanos
  }
}

/// Something happened under a watched prefix. Changes are hints: they may be lost or repeated,
/// and a listing is what counts.
public enum ObjectChange: Hashable, Sendable {
  /// The store put this object itself: it is whole.
  case put(ObjectKey)
  /// Somebody else touched this object; it may still be growing.
  case touched(ObjectKey)
  /// Hints were lost: list everything.
  case overflow
}
