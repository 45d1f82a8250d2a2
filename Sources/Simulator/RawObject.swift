/// One raw object: its key, its bytes, and what the simulator knows of them.
public struct RawObject: Hashable, Sendable {
  /// Where the object belongs.
  public let key: RawObjectKey
  /// NDJSON; every line ends with LF, the last one too, unless it is cut short as a fault.
  public let body: [UInt8]
  /// How many lines the body has, blank ones included.
  public let lineCount: Int
  /// How many of the lines are events, faulty ones and repeats included: all that are not blank.
  public let eventCount: Int
  /// A record of each faulty line, in the order of the lines.
  public let answers: [AnswerKeyRecord]
  /// What the object adds to gold; nil where the generator was not asked for it.
  public let truth: ObjectTruth?
}
