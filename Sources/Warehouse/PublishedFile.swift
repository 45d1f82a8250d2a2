public import Lake

/// A file of the lake that the pipe loads.
public struct PublishedFile: Sendable {
  public let file: Commit.File
  /// The commit that made it.
  public let commit: Int
  /// Where DuckDB reads it.
  public let path: String
  /// When the pipe was told of it, in milliseconds since 1970.
  public let received: Int64

  public init(file: Commit.File, commit: Int, path: String, received: Int64 = 0) {
    self.file = file
    self.commit = commit
    self.path = path
    self.received = received
  }
}
