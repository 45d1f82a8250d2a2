public import Contract
import Foundation
import Lake
import Ledger
import ObjectStore

/// Judges quarantined lines again under the present contract, as one more commit.
///
/// Lines that are accepted now become bronze rows with the object and line they always had. A
/// quarantine file in which anything changed is superseded by one with what is left; under the
/// contract that judged all of it before, nothing changes.
public struct Redrive: Sendable {
  /// What a redrive did.
  public struct Report: Sendable, Codable, Equatable {
    /// Lines that were judged again.
    public var lines = 0
    /// Lines that are bronze rows now.
    public var accepted = 0
    /// Lines that stay in quarantine, for another reason.
    public var reclassified = 0
    /// Lines for which nothing changed.
    public var unchanged = 0

    public init() {}
  }

  /// Quarantine files that one commit supersedes at most.
  private static let mostFiles = 1000

  private let stage: BronzeStage
  private let reason: QuarantineReason?

  /// - Parameter reason: judges only lines that were quarantined for it; nil for all.
  public init(stage: BronzeStage, reason: QuarantineReason? = nil) {
    self.stage = stage
    self.reason = reason
  }

  public func run() async throws -> Report {
    try await stage.recover()
    var report = Report()
    let judgedBefore = try stage.ledger.quarantineFiles()
      .filter { $0.contract != stage.contract.sha256 }
    var affected: [Commit.File] = []
    for candidate in judgedBefore {
      let (records, changes) = try await judge(candidate.file)
      report.lines += records
      if changes == 0 { report.unchanged += records } else { affected.append(candidate.file) }
      if affected.count == Self.mostFiles {
        try await supersede(affected, &report)
        affected = []
      }
    }
    if !affected.isEmpty { try await supersede(affected, &report) }
    return report
  }

  // MARK: -

  /// How many of a file's records are judged, and how many of them otherwise than before.
  private func judge(_ file: Commit.File) async throws -> (records: Int, changes: Int) {
    let decoder = LineDecoder(contract: stage.contract.contract)
    var judged = 0
    var changes = 0
    try await forEachRecord(of: file) { record, _ in
      guard isJudged(record) else { return }
      judged += 1
      decoder.begin(sourceObject: record.sourceObject, objectIndex: 0)
      let verdict = record.raw.withUnsafeBytes {
        decoder.decodeLine($0, lineNumber: record.line, byteOffset: record.byteOffset)
      }
      if verdict != .quarantined(record.reason) { changes += 1 }
      decoder.partitions.removeAll()
      decoder.quarantine.removeAll()
    }
    return (judged, changes)
  }

  private func isJudged(_ record: QuarantineRecord) -> Bool {
    // The record of a line that is too long has only its beginning, and no contract changes the
    // limit.
    record.isComplete && (reason == nil || record.reason == reason)
  }

  private func supersede(_ files: [Commit.File], _ report: inout Report) async throws {
    let batch = BatchID()
    try stage.ledger.beginWork(batch)
    let commit: Commit
    let counts: Report
    do {
      (commit, counts) = try await write(files, as: batch)
    } catch {
      try? await stage.committer.abandon(batch.text)
      throw error
    }
    let committed = try await stage.committer.commit(commit) {
      try files.contains { try stage.ledger.isSuperseded($0.key) }
    }
    guard committed != nil else {
      try await stage.committer.abandon(batch.text)
      throw LakeError(
        .stageBusy,
        "another redrive of this lake was faster: run this one again to see what is left")
    }
    report.accepted += counts.accepted
    report.reclassified += counts.reclassified
    report.unchanged += counts.unchanged
    try await stage.committer.publishAll()
  }

  private func write(
    _ files: [Commit.File], as batch: BatchID
  ) async throws -> (commit: Commit, report: Report) {
    let quarantine = QuarantineWriter(batch: batch, store: stage.lake.store)
    let worker = try BatchWorker(
      batch: batch, contract: stage.contract.contract, store: stage.lake.store,
      quarantine: quarantine, fileNumbers: FileNumbers(), encodings: stage.encodings)
    var counts = Commit.Counts()
    var report = Report()
    for file in files {
      let day = String(file.key.text.dropFirst("\(LakeLayout.quarantine)dt=".count).prefix(10))
      try await forEachRecord(of: file) { record, line in
        guard isJudged(record) else {
          try await quarantine.append(line + [UInt8(ascii: "\n")], records: 1, day: day)
          return
        }
        let verdict = worker.judge(record)
        if verdict == .quarantined(record.reason) {
          report.unchanged += 1
        } else {
          counts.quarantined[record.reason.rawValue, default: 0] -= 1
          switch verdict {
          case .accepted:
            counts.accepted += 1
            report.accepted += 1
          case .blank: counts.blank += 1
          case .quarantined(let reason):
            counts.quarantined[reason.rawValue, default: 0] += 1
            report.reclassified += 1
          }
        }
        try await worker.relieve(day: day)
      }
    }
    let result = try await worker.finish()
    counts.rescued = result.counts.rescued
    let left = try await quarantine.finish()
    let commit = Commit(
      number: 0, kind: .redrive, batch: batch, committedAt: Timestamp.text(Date()),
      contract: stage.contract.sha256, sources: [], counts: counts, bronze: result.files,
      quarantine: reason == nil ? left : left.map(\.judgedInPart), superseded: files.map(\.key))
    return (commit, report)
  }

  /// The records of a quarantine file, each with its line.
  private func forEachRecord(
    of file: Commit.File, _ body: (QuarantineRecord, [UInt8]) async throws -> Void
  ) async throws {
    try await stage.lake.store.forEachLine(of: file.key) { line in
      try await body(try QuarantineRecord(parsing: line), line)
    }
  }
}
