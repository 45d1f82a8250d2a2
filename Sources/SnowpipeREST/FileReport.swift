/// What became of one file.
public struct FileReport: Codable, Sendable, Equatable {
  public enum Status: String, Codable, Sendable {
    case inProgress = "LOAD_IN_PROGRESS"
    case loaded = "LOADED"
    case failed = "LOAD_FAILED"
    case partial = "PARTIALLY_LOADED"
  }

  /// Relative to the stage.
  public var path: String
  public var stageLocation: String?
  /// In bytes.
  public var fileSize: Int64?
  public var timeReceived: String?
  public var lastInsertTime: String?
  public var rowsInserted: Int?
  public var rowsParsed: Int?
  public var errorsSeen: Int?
  public var errorLimit: Int?
  public var firstError: String?
  public var firstErrorLineNum: Int?
  public var firstErrorCharacterPos: Int?
  public var firstErrorColumnName: String?
  public var systemError: String?
  /// Whether the pipe is done with it, well or not.
  public var complete: Bool
  public var status: Status

  public init(path: String, status: Status) {
    self.path = path
    self.status = status
    complete = status != .inProgress
  }
}
