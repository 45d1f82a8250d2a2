#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An object as a file of this host, for libraries that read files.
///
/// Where it is a copy, it is removed with this value.
public final class LocalFile: Sendable {
  /// What a reader needs of an object.
  public enum Part: Sendable {
    case whole
    /// Of a Parquet file the metadata at its end; the rest may be a hole.
    case parquetFooter
  }

  public let path: String
  private let isCopy: Bool

  /// The object itself.
  public init(inPlace path: String) {
    self.path = path
    isCopy = false
  }

  /// A copy that is made under this path.
  public init(copyAt path: String) {
    self.path = path
    isCopy = true
  }

  /// Reads it from its start, as the object `key`.
  public func reader(_ key: ObjectKey) throws -> any ObjectReader {
    try FileReader(path: path, key: key)
  }

  deinit { if isCopy { unlink(path) } }
}
