import Bronze
import Contract
import DuckDB
import Flow
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import Warehouse

/// What the warehouse holds, counted under one lease.
struct WarehouseFacts {
  let counts: WarehouseCounts
  /// Rows by the bronze file that they came from, for every file in the load history.
  let stagingRows: [ObjectKey: Int]
  /// Quarantined lines by their file, for every file in that history.
  let quarantineRows: [ObjectKey: Int]
  /// Whether it says which files were loaded.
  let hasLoadHistory: Bool
  /// Whether the last refresh went through: its models all stand at the same point.
  let isWindowClosed: Bool
  /// Gold against the published files; nil where gold has changed since they were written.
  let gold: (gold: Int, published: Int, different: Int)?

  /// What an answer key asks for; nil without one.
  let answers: AnswerKeyScorer.WarehouseAnswers?

  /// - Parameters:
  ///   - published: what to compare gold with.
  ///   - scorer: an answer key that is to be scored.
  init(
    _ workspace: Workspace, published: GoldSnapshot?, scorer: AnswerKeyScorer?
  ) async throws {
    let local = try await published?.localFiles(in: workspace.lake) ?? [:]
    hasLoadHistory = true
    (counts, stagingRows, quarantineRows, isWindowClosed, gold, answers) =
      try await workspace.warehouse.withConnection { connection in
        let tables = try WarehouseTables(connection)
        let answers = try scorer?.answers(connection, tables)
        let counts = try WarehouseCounts(connection, includingSilverSums: true)
        let gold = try published?.compare(with: connection, local: local)
        let quarantineRows = try Self.quarantineRows(connection, tables)
        guard tables.contains("raw.load_history") else {
          return (counts, [:], quarantineRows, true, gold, answers)
        }
        let rows = try connection.query(
          """
          SELECT history.path, count(staging._load_seq)
          FROM \(StagingTable.history) AS history
          LEFT JOIN (SELECT _load_seq FROM \(StagingTable.name)) AS staging
            ON staging._load_seq = history.load_seq
          GROUP BY 1
          """)
        var stagingRows: [ObjectKey: Int] = [:]
        for row in rows { stagingRows[ObjectKey(trusted: row[0].text ?? "")] = row[1].int }
        // Rows that no history row vouches for belong to no file.
        let foreign =
          try connection.query(
            """
            SELECT count(*) FROM \(StagingTable.name)
            WHERE _load_seq NOT IN (SELECT load_seq FROM \(StagingTable.history))
            """)[0][0].int ?? 0
        if foreign > 0 { stagingRows[ObjectKey(trusted: "rows without a load history")] = foreign }
        var isClosed = true
        if tables.contains("raw.transform_window") {
          let open = try connection.query(
            "SELECT count(*) FROM retail.raw.transform_window WHERE hi <> lo")
          isClosed = open[0][0].int == 0
        }
        return (counts, stagingRows, quarantineRows, isClosed, gold, answers)
      }
  }

  private static func quarantineRows(
    _ connection: DuckDBConnection, _ tables: WarehouseTables
  ) throws -> [ObjectKey: Int] {
    guard tables.contains("raw.quarantine_history") else { return [:] }
    // Rows that no history row vouches for belong to no file.
    let found = try connection.query(
      """
      SELECT coalesce(history.path, 'rows without a quarantine history'),
        count(lines._quarantine_file)
      FROM \(QuarantineTable.history) AS history
      FULL JOIN (SELECT _quarantine_file FROM \(QuarantineTable.name)) AS lines
        ON lines._quarantine_file = history.path
      GROUP BY 1
      """)
    return Dictionary(
      uniqueKeysWithValues: found.map { (ObjectKey(trusted: $0[0].text ?? ""), $0[1].int ?? 0) })
  }
}

/// Gold as it was published, for readers without the warehouse.
struct PublishedGold {
  /// What the pointer names; nil if nothing was published, or it cannot be read.
  var snapshot: GoldSnapshot?
  var findings: [String] = []

  /// Nothing that was published.
  init() {}

  /// To be read before the warehouse, so that what is published meanwhile counts as pending.
  init(_ workspace: Workspace) async throws {
    // First what is known of the past: a pointer that follows later is there, too.
    let last = try workspace.ledger.gauge(Ledger.publishedGoldGauge, as: BatchID.self)
    do {
      snapshot = try await GoldSnapshot.current(in: workspace.lake)
    } catch let failure as LakeError {
      findings.append(failure.message)
      return
    }
    if snapshot == nil, last != nil {
      findings.append(
        "\(LakeLayout.goldPointer) is gone: 'medallion transform' publishes gold anew")
    }
    let store = workspace.lake.store
    let files = snapshot?.tables.values.flatMap(\.files) ?? []
    let infos = try await Concurrently.map(files, atOnce: store.concurrency) {
      try await store.info(ObjectKey(trusted: $0))
    }
    for (file, info) in zip(files, infos) where info == nil {
      findings.append("\(file) was published and is gone: 'medallion transform' publishes it anew")
    }
    if !findings.isEmpty { snapshot = nil }
  }
}

/// What is in raw.
struct RawFacts {
  /// Lines of the consumed objects.
  var lines = 0
  /// Objects that nobody consumed yet.
  var waiting = 0
  var findings: [String] = []

  init(_ workspace: Workspace, commits: [Commit], deep: Bool) async throws {
    let store = workspace.lake.store
    let census = RawCensus(lake: workspace.lake, ledger: workspace.ledger)
    try await workspace.lake.listRaw { page in
      waiting += try await census.waiting(among: page).count
      return true
    }

    let sources = commits.flatMap(\.sources)
    guard deep else {
      lines = sources.map(\.lines).reduce(0, +)
      return
    }
    let counters = try await Concurrently.map(sources, atOnce: store.concurrency) { source in
      (source, try await RawLineCounter(source.key, in: store))
    }
    for (source, counter) in counters {
      guard let counter else {
        findings.append("\(source.key) was consumed and can no longer be read")
        continue
      }
      lines += counter.lines
      if counter.checksum.hasPrefix("xxh3:"), source.checksum.hasPrefix("xxh3:"),
        counter.checksum != source.checksum
      {
        findings.append("\(source.key) is not what was consumed: its content changed")
      }
    }
  }
}

/// Finds committed files, and tells whether they are what their commit made.
struct CommittedFiles {
  private let lake: Lake
  private let deep: Bool

  /// - Parameter deep: reads each file and compares its SHA-256, where else its size has to do.
  init(_ lake: Lake, deep: Bool) {
    self.lake = lake
    self.deep = deep
  }

  /// A file that is nowhere, or not what was committed.
  struct Finding: Error {
    let text: String

    init(_ text: String) { self.text = text }
  }

  /// Has `body` read each file in its place, or in tmp as long as it is not published, which may happen
  /// meanwhile; as many at once as the store likes. What cannot be read is a finding.
  func read<Value: Sendable>(
    _ files: [(file: Commit.File, commit: Commit)],
    _ body: @escaping @Sendable (Commit.File, ObjectKey) async throws -> Value
  ) async throws -> [(file: Commit.File, Result<Value, Finding>)] {
    try await Concurrently.map(files, atOnce: lake.store.concurrency) { file, commit in
      do {
        let place = try await place(of: file, in: commit)
        do {
          return (file, .success(try await body(file, place)))
        } catch  where place != file.key {
          return (file, .success(try await body(file, file.key)))
        }
      } catch let finding as Finding {
        return (file, .failure(finding))
      }
    }
  }

  /// Where a file is; throws a finding if it is nowhere or not what was committed.
  private func place(of file: Commit.File, in commit: Commit) async throws -> ObjectKey {
    // Committed and not published yet, it is still in tmp; a moment later it may be in place.
    let work = LakeLayout.workFile(for: file.key, batch: commit.batch)
    for place in [file.key, work, file.key] {
      guard let info = try await lake.store.info(place) else { continue }
      if deep {
        guard let sha256 = try await lake.sha256(of: place) else { continue }
        if sha256 == file.sha256 { return place }
      } else if info.sizeBytes == file.size {
        return place
      }
      throw Finding("\(file.key) is not what commit \(commit.number) made")
    }
    throw Finding("\(file.key) was committed and is not in its place")
  }
}

/// The rows of bronze by the footers of its files.
struct FooterFacts {
  var rows: [ObjectKey: Int] = [:]
  var findings: [String] = []

  init(_ workspace: Workspace, commits: [Commit], deep: Bool) async throws {
    let store = workspace.lake.store
    let connection = try DuckDBConnection(path: nil)
    let committed = CommittedFiles(workspace.lake, deep: deep)
    let files = commits.flatMap { commit in commit.bronze.map { (file: $0, commit: commit) } }
    func footers(
      _ files: [(file: Commit.File, commit: Commit)]
    ) async throws -> [(file: Commit.File, Result<LocalFile, CommittedFiles.Finding>)] {
      try await committed.read(files) { _, place in
        try await store.localFile(place, .parquetFooter)
      }
    }
    for start in stride(from: 0, to: files.count, by: 500) {
      let slice = Array(files[start..<min(start + 500, files.count)])
      var present: [(ObjectKey, LocalFile)] = []
      for (file, footer) in try await footers(slice) {
        switch footer {
        case .success(let local): present.append((file.key, local))
        case .failure(let finding): findings.append(finding.text)
        }
      }
      if present.isEmpty { continue }
      do {
        try count(present, connection)
      } catch {
        // One of them is no Parquet file, or was published meanwhile and is no longer in tmp.
        let keys = Set(present.map(\.0))
        for each in slice where keys.contains(each.file.key) {
          do {
            try count(
              try await footers([each]).map { ($0.key, try $1.get()) }, connection)
          } catch let finding as CommittedFiles.Finding {
            findings.append(finding.text)
          } catch {
            findings.append("\(each.file.key) is not a readable Parquet file")
          }
        }
      }
    }
  }

  private mutating func count(
    _ files: [(ObjectKey, LocalFile)], _ connection: DuckDBConnection
  ) throws {
    let keys = Dictionary(uniqueKeysWithValues: files.map { ($1.path, $0) })
    let list = files.map(\.1.path.sqlLiteral).joined(separator: ", ")
    // Copies go with the last reference to them.
    let found = try withExtendedLifetime(files) {
      try connection.query(
        "SELECT file_name, CAST(num_rows AS BIGINT) FROM parquet_file_metadata([\(list)])")
    }
    for row in found {
      if let path = row[0].text, let key = keys[path] { rows[key] = row[1].int }
    }
  }
}

/// The quarantine files in force.
struct QuarantineFacts {
  struct Place: Hashable {
    let object: ObjectKey
    let line: Int
  }

  /// Records by file.
  var records: [ObjectKey: Int] = [:]
  /// The files that a redrive took out of force.
  let superseded: Set<ObjectKey>
  /// The reason of each quarantined line, where they were asked for.
  var reasons: [Place: String] = [:]
  var findings: [String] = []

  init(
    _ workspace: Workspace, commits: [Commit], deep: Bool, remembering: Bool
  ) async throws {
    let superseded = Set(commits.flatMap(\.superseded))
    self.superseded = superseded
    let store = workspace.lake.store
    let files = commits.flatMap { commit in
      commit.quarantine.filter { !superseded.contains($0.key) }.map { (file: $0, commit: commit) }
    }
    let committed = CommittedFiles(workspace.lake, deep: deep)
    let read = try await committed.read(files) { _, place in
      try await Content(of: place, in: store, remembering: remembering)
    }
    for (file, content) in read {
      switch content {
      case .failure(let finding): findings.append(finding.text)
      case .success(let content):
        if content.records > 0 { records[file.key] = content.records }
        reasons.merge(content.reasons) { $1 }
        if content.damaged > 0 {
          findings.append("\(file.key) has \(content.damaged) lines that are no records")
        }
      }
    }
  }

  /// What one file holds.
  private struct Content: Sendable {
    var records = 0
    var reasons: [Place: String] = [:]
    var damaged = 0

    init(of key: ObjectKey, in store: any ObjectStore, remembering: Bool) async throws {
      try await store.forEachLine(of: key) { line in
        records += 1
        guard remembering else { return }
        do {
          let record = try QuarantineRecord(parsing: line)
          reasons[Place(object: ObjectKey(trusted: record.sourceObject), line: Int(record.line))] =
            record.reason.rawValue
        } catch {
          damaged += 1
        }
      }
    }
  }
}
