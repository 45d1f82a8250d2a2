public import Lake

/// A file of the lake that the pipe loads.
public struct PublishedFile: Sendable {
  public let file: Commit.File
  /// The commit that made it.
  public let commit: Int
  /// Where DuckDB reads it.
  public let path: String

  public init(file: Commit.File, commit: Int, path: String) {
    self.file = file
    self.commit = commit
    self.path = path
  }
}
