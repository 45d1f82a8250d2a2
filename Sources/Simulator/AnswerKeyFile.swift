import Foundation
import ObjectStore

/// The answer key on disk: appended object by object, before each object is put, and closed with
/// the totals.
///
/// For each object there is one record of its own and then one for each fault, written in one go.
/// A kill may leave the records of an object that was never put, a torn last line, and no totals;
/// whoever opens the file again mends the tail and goes on. An object that is made a second time, by
/// the same seed, keeps the records that it has.
struct AnswerKeyFile {
  private let handle: FileHandle
  private var known: Set<String> = []
  private var totals = AnswerKeyTotals()

  /// Opens the file, and makes it if there is none.
  ///
  /// - Parameter store: where the objects are that earlier runs wrote down; of those that are not
  ///   there the totals know nothing.
  /// - Throws: ``SimulatorError`` with the code `answer_key` where it cannot be written.
  init(path: String, store: any ObjectStore) async throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw SimulatorError(
        .answerKey, "cannot write the answer key \(path): does its directory exist?")
    }
    self.handle = handle
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    let reading = AnswerKeyReading(bytes)
    for object in reading.objects where object.sourceObject != reading.unfinishedObject {
      known.insert(object.sourceObject)
      guard let key = ObjectKey(object.sourceObject), try await store.info(key) != nil else {
        continue
      }
      totals.add(object)
    }
    try handle.truncate(atOffset: UInt64(reading.wholeBytes))
    try handle.seekToEnd()
  }

  /// Whether the file tells of an object.
  func tells(of object: String) -> Bool { known.contains(object) }

  /// Writes down what an object holds, and what it adds to gold.
  mutating func append(_ object: RawObject) throws {
    let record = ObjectRecord(object)
    totals.add(record)
    guard known.insert(record.sourceObject).inserted else { return }
    var bytes: [UInt8] = []
    record.append(to: &bytes)
    for answer in object.answers { answer.append(to: &bytes) }
    try handle.write(contentsOf: Data(bytes))
  }

  /// Writes the totals, which stay the file's end until more objects follow.
  func close() throws {
    var bytes: [UInt8] = []
    totals.append(to: &bytes)
    try handle.write(contentsOf: Data(bytes))
    try handle.close()
  }
}
