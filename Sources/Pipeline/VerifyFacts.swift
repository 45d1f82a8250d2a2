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
    let last = try workspace.ledger.gauge("gold.published", as: BatchID.self)
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
    for file in snapshot?.tables.values.flatMap(\.files) ?? []
    where try await workspace.lake.store.info(ObjectKey(trusted: file)) == nil {
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
    var page: [ObjectInfo] = []
    try await store.list(LakeLayout.raw) { object in
      if LakeLayout.isRawObject(object.key) { page.append(object) }
      if page.count == 1000 {
        waiting += try await census.waiting(among: page).count
        page.removeAll(keepingCapacity: true)
      }
      return true
    }
    waiting += try await census.waiting(among: page).count

    for source in commits.flatMap(\.sources) {
      guard deep else {
        lines += source.lines
        continue
      }
      guard let counter = try await RawLineCounter(source.key, in: store) else {
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
  private(set) var findings: [String] = []

  /// - Parameter deep: reads each file and compares its SHA-256, where else its size has to do.
  init(_ lake: Lake, deep: Bool) {
    self.lake = lake
    self.deep = deep
  }

  /// Has `body` read a file in its place, or in tmp as long as it is not published, which may happen
  /// meanwhile. A file that is nowhere, or not what was committed, is a finding and is not read.
  mutating func read(
    _ file: Commit.File, of commit: Commit, _ body: (ObjectKey) async throws -> Void
  ) async throws {
    guard let place = try await place(of: file, in: commit) else { return }
    do {
      try await body(place)
    } catch  where place != file.key {
      try await body(file.key)
    }
  }

  /// Where a file is; nil, and a finding, if it is nowhere or not what was committed.
  mutating func place(of file: Commit.File, in commit: Commit) async throws -> ObjectKey? {
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
      findings.append("\(file.key) is not what commit \(commit.number) made")
      return nil
    }
    findings.append("\(file.key) was committed and is not in its place")
    return nil
  }
}

/// The rows of bronze by the footers of its files.
struct FooterFacts {
  var rows: [ObjectKey: Int] = [:]
  var findings: [String] = []

  init(_ workspace: Workspace, commits: [Commit], deep: Bool) async throws {
    let store = workspace.lake.store
    let connection = try DuckDBConnection(path: nil)
    var committed = CommittedFiles(workspace.lake, deep: deep)
    defer { findings += committed.findings }
    let files = commits.flatMap { commit in commit.bronze.map { ($0, commit) } }
    for start in stride(from: 0, to: files.count, by: 500) {
      let slice = files[start..<min(start + 500, files.count)]
      var present: [(place: ObjectKey, file: ObjectKey)] = []
      for (file, commit) in slice {
        if let place = try await committed.place(of: file, in: commit) {
          present.append((place, file.key))
        }
      }
      if present.isEmpty { continue }
      do {
        try await count(present, in: store, connection)
      } catch {
        // One of them is no Parquet file, or was published meanwhile and is no longer in tmp.
        let keys = Set(present.map(\.file))
        for (file, commit) in slice where keys.contains(file.key) {
          do {
            try await committed.read(file, of: commit) { place in
              try await count([(place, file.key)], in: store, connection)
            }
          } catch {
            findings.append("\(file.key) is not a readable Parquet file")
          }
        }
      }
    }
  }

  private mutating func count(
    _ present: [(place: ObjectKey, file: ObjectKey)], in store: any ObjectStore,
    _ connection: DuckDBConnection
  ) async throws {
    let local = try await Concurrently.map(present.map(\.place), atOnce: store.concurrency) {
      try await store.localFile($0, .parquetFooter)
    }
    let keys = Dictionary(uniqueKeysWithValues: zip(local.map(\.path), present.map(\.file)))
    let list = local.map(\.path.sqlLiteral).joined(separator: ", ")
    // Copies go with the last reference to them.
    let found = try withExtendedLifetime(local) {
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
    superseded = Set(commits.flatMap(\.superseded))
    var committed = CommittedFiles(workspace.lake, deep: deep)
    for commit in commits {
      for file in commit.quarantine where !superseded.contains(file.key) {
        try await committed.read(file, of: commit) { place in
          try await read(file.key, at: place, in: workspace.lake.store, remembering: remembering)
        }
      }
    }
    findings += committed.findings
  }

  private mutating func read(
    _ key: ObjectKey, at place: ObjectKey, in store: any ObjectStore, remembering: Bool
  ) async throws {
    var damaged = 0
    try await store.forEachLine(of: place) { line in
      records[key, default: 0] += 1
      guard remembering else { return }
      do {
        let record = try QuarantineRecord(parsing: line)
        reasons[Place(object: ObjectKey(trusted: record.sourceObject), line: Int(record.line))] =
          record.reason.rawValue
      } catch {
        damaged += 1
      }
    }
    if damaged > 0 { findings.append("\(key) has \(damaged) lines that are no records") }
  }
}
