/// What `SYSTEM$PIPE_STATUS` tells, member by member; what does not apply is absent.
public struct PipeStatus: Codable, Sendable, Equatable {
  /// RUNNING, PAUSED, or a word for what has gone wrong.
  public var executionState: String
  public var pendingFileCount: Int?
  /// When the file that waits longest was received.
  public var oldestFileTimestamp: String?
  public var oldestPendingFilePath: String?
  public var lastIngestedTimestamp: String?
  public var lastIngestedFilePath: String?
  public var notificationChannelName: String?
  public var numOutstandingMessagesOnChannel: Int?
  public var lastReceivedMessageTimestamp: String?
  public var lastForwardedMessageTimestamp: String?
  public var lastPipeErrorTimestamp: String?
  public var lastPipeFaultTimestamp: String?
  public var error: String?
  public var fault: String?

  public init(executionState: String) { self.executionState = executionState }

  public static let running = "RUNNING"
  public static let paused = "PAUSED"
}
