/// The answer key's record of one raw object: how much is in it, and what it adds to gold.
public struct ObjectRecord: Hashable, Sendable {
  /// The name of this kind of record, where a fault's record names the fault.
  public static let kind = "object"

  /// The raw object's key.
  public var sourceObject: String
  /// How many lines it has.
  public var lines: Int
  /// How many of them are events: all that are not blank.
  public var events: Int
  /// How many records of faults follow.
  public var faults: Int
  /// What it adds to gold.
  public var truth: ObjectTruth

  init(_ object: RawObject) {
    sourceObject = object.key.text
    lines = object.lineCount
    events = object.eventCount
    faults = object.answers.count
    truth = object.truth ?? ObjectTruth()
  }
}

extension ObjectRecord: Decodable {
  enum CodingKeys: String, CodingKey {
    case sourceObject = "source_object"
    case fault, lines, events, faults
    case truth = "true"
  }

  private struct Group: Decodable {
    let day: String
    let category: String?
    let transactions: Int
    let revenue: String
    let units: Int
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard try container.decode(String.self, forKey: .fault) == Self.kind else {
      throw DecodingError.dataCorruptedError(
        forKey: .fault, in: container, debugDescription: "no record of an object")
    }
    sourceObject = try container.decode(String.self, forKey: .sourceObject)
    lines = try container.decode(Int.self, forKey: .lines)
    events = try container.decode(Int.self, forKey: .events)
    faults = try container.decode(Int.self, forKey: .faults)
    truth = ObjectTruth()
    for group in try container.decode([Group].self, forKey: .truth) {
      guard let cents = Int64(group.revenue.replacing(".", with: "")) else {
        throw DecodingError.dataCorruptedError(
          forKey: .truth, in: container, debugDescription: "revenue is no amount")
      }
      truth.groups[ObjectTruth.Group(day: group.day, category: group.category)] =
        ObjectTruth.Sums(
          transactions: group.transactions, revenueCents: cents, units: group.units)
    }
  }
}

extension ObjectRecord {
  /// Appends the record as one line of NDJSON and an LF: the nine members of a fault's record, then
  /// its own.
  func append(to bytes: inout [UInt8]) {
    AnswerKeyText.appendOpening(Self.kind, of: sourceObject, to: &bytes)
    bytes.append(
      contentsOf: #", "lines": \#(lines), "events": \#(events), "faults": \#(faults), "true": ["#
        .utf8)
    var isFirst = true
    for (group, sums) in truth.groups.sorted(by: { $0.key < $1.key }) {
      bytes.append(contentsOf: (isFirst ? "{" : ", {").utf8)
      isFirst = false
      AnswerKeyText.append(group, to: &bytes)
      AnswerKeyText.append(sums, to: &bytes)
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(contentsOf: "]}\n".utf8)
  }
}

/// The parts that several kinds of records share.
enum AnswerKeyText {
  /// A record's nine members, up to and without what is its own.
  static func appendOpening(_ kind: String, of object: String?, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: #"{"source_object": "#.utf8)
    if let object {
      JSONText.append(object, to: &bytes)
    } else {
      bytes.append(contentsOf: "null".utf8)
    }
    bytes.append(contentsOf: #", "line": null, "fault": "\#(kind)""#.utf8)
    for name in [
      "verdict", "reason", "event_id", "rescued_field", "original_object", "original_line",
    ] {
      bytes.append(contentsOf: #", "\#(name)": null"#.utf8)
    }
  }

  static func append(_ group: ObjectTruth.Group, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: #""day": "\#(group.day)", "category": "#.utf8)
    if let category = group.category {
      JSONText.append(category, to: &bytes)
    } else {
      bytes.append(contentsOf: "null".utf8)
    }
    bytes.append(contentsOf: ", ".utf8)
  }

  static func append(_ sums: ObjectTruth.Sums, to bytes: inout [UInt8]) {
    bytes.append(
      contentsOf:
        #""transactions": \#(sums.transactions), "revenue": "\#(sums.revenue)", "units": \#(sums.units)"#
        .utf8)
  }
}
