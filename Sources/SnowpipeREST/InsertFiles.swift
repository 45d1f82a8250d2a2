/// A file below the pipe's stage.
public struct StagedFile: Codable, Sendable, Equatable {
  /// Relative to the stage.
  public let path: String
  /// In bytes, if whoever names it knows.
  public let size: Int64?

  public init(path: String, size: Int64? = nil) {
    self.path = path
    self.size = size
  }
}

/// What `insertFiles` takes.
public struct InsertFilesRequest: Codable, Sendable {
  public let files: [StagedFile]

  public init(files: [StagedFile]) { self.files = files }

  /// Files in one request.
  public static let mostFiles = 5000
  /// The longest path, in bytes of UTF-8.
  public static let longestPath = 1024
}

/// What `insertFiles` answers once the files are recorded.
public struct InsertFilesResponse: Codable, Sendable, Equatable {
  /// Absent if the request had none.
  public var requestId: String?
  /// For clients of the older form.
  public var status: String?
  public var responseCode: String
  /// Files that the pipe received before; only where the request asked for them.
  public var skippedFiles: [String]?
  /// Files that the pipe's pattern leaves out.
  public var unmatchedPatternFiles: [String]?

  public init(requestID: String?, skippedFiles: [String]? = nil) {
    requestId = requestID
    status = "success"
    responseCode = "SUCCESS"
    self.skippedFiles = skippedFiles
  }
}
