/// What `insertReport` answers: the events of the last ten minutes.
public struct InsertReport: Codable, Sendable {
  public struct Statistics: Codable, Sendable {
    /// Files that wait.
    public let activeFilesCount: Int

    public init(activeFilesCount: Int) { self.activeFilesCount = activeFilesCount }
  }

  public let pipe: String
  /// False if events were missed since the mark.
  public let completeResult: Bool
  public let nextBeginMark: String?
  public let files: [FileReport]
  public let statistics: Statistics?

  public init(
    pipe: String, completeResult: Bool, nextBeginMark: String, files: [FileReport],
    activeFilesCount: Int
  ) {
    self.pipe = pipe
    self.completeResult = completeResult
    self.nextBeginMark = nextBeginMark
    self.files = files
    statistics = Statistics(activeFilesCount: activeFilesCount)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    pipe = try container.decode(String.self, forKey: .pipe)
    completeResult = try container.decodeTruth(.completeResult)
    nextBeginMark = try container.decodeIfPresent(String.self, forKey: .nextBeginMark)
    files = try container.decodeIfPresent([FileReport].self, forKey: .files) ?? []
    statistics = try container.decodeIfPresent(Statistics.self, forKey: .statistics)
  }

  /// Files in one answer.
  public static let mostFiles = 10_000
  /// How far back it goes, in seconds.
  public static let longestSeconds = 600
}

/// What `loadHistoryScan` answers: the events between two instants.
public struct LoadHistory: Codable, Sendable {
  public let pipe: String
  /// False if there are more: `rangeEndTime` is where they begin.
  public let completeResult: Bool
  public let startTimeInclusive: String?
  public let endTimeExclusive: String?
  public let rangeStartTime: String?
  public let rangeEndTime: String?
  public let files: [FileReport]

  public init(
    pipe: String, completeResult: Bool, startTimeInclusive: String, endTimeExclusive: String,
    rangeStartTime: String, rangeEndTime: String, files: [FileReport]
  ) {
    self.pipe = pipe
    self.completeResult = completeResult
    self.startTimeInclusive = startTimeInclusive
    self.endTimeExclusive = endTimeExclusive
    self.rangeStartTime = rangeStartTime
    self.rangeEndTime = rangeEndTime
    self.files = files
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    pipe = try container.decode(String.self, forKey: .pipe)
    completeResult = try container.decodeTruth(.completeResult)
    startTimeInclusive = try container.decodeIfPresent(String.self, forKey: .startTimeInclusive)
    endTimeExclusive = try container.decodeIfPresent(String.self, forKey: .endTimeExclusive)
    rangeStartTime = try container.decodeIfPresent(String.self, forKey: .rangeStartTime)
    rangeEndTime = try container.decodeIfPresent(String.self, forKey: .rangeEndTime)
    files = try container.decodeIfPresent([FileReport].self, forKey: .files) ?? []
  }
}

extension KeyedDecodingContainer {
  /// The service writes some booleans as text.
  fileprivate func decodeTruth(_ key: Key) throws -> Bool {
    if let truth = try? decode(Bool.self, forKey: key) { return truth }
    return try decode(String.self, forKey: key).lowercased() == "true"
  }
}
