/// What is true of all objects of an answer key that were put.
struct AnswerKeyTotals {
  /// The name of the records of one day and category.
  static let groupKind = "total"
  /// The name of the record that sums up everything; it is the last.
  static let grandKind = "grand_total"

  private var objects: Set<String> = []
  private var lines = 0
  private var events = 0
  private var faults = 0
  private var truth = ObjectTruth()

  /// Adds an object, once.
  mutating func add(_ record: ObjectRecord) {
    guard objects.insert(record.sourceObject).inserted else { return }
    lines += record.lines
    events += record.events
    faults += record.faults
    truth.add(record.truth)
  }

  /// Appends one record for each day and category, and one for everything.
  func append(to bytes: inout [UInt8]) {
    for (group, sums) in truth.groups.sorted(by: { $0.key < $1.key }) {
      AnswerKeyText.appendOpening(Self.groupKind, of: nil, to: &bytes)
      bytes.append(contentsOf: ", ".utf8)
      AnswerKeyText.append(group, to: &bytes)
      AnswerKeyText.append(sums, to: &bytes)
      bytes.append(contentsOf: "}\n".utf8)
    }
    AnswerKeyText.appendOpening(Self.grandKind, of: nil, to: &bytes)
    bytes.append(
      contentsOf:
        #", "objects": \#(objects.count), "lines": \#(lines), "events": \#(events), "faults": \#(faults), "#
        .utf8)
    AnswerKeyText.append(truth.total, to: &bytes)
    bytes.append(contentsOf: "}\n".utf8)
  }
}
