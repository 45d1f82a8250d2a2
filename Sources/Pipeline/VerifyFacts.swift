import Bronze
import Contract
import DuckDB
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
  let stagingRows: [String: Int]
  /// Whether the last refresh went through: its models all stand at the same point.
  let isWindowClosed: Bool

  init(_ warehouse: Warehouse) async throws {
    (counts, stagingRows, isWindowClosed) = try await warehouse.withConnection { connection in
      let counts = try WarehouseCounts(connection, includingSilverSums: true)
      guard try Self.exists("raw.load_history", connection) else { return (counts, [:], true) }
      let rows = try connection.query(
        """
        SELECT history.path, count(staging._load_seq)
        FROM \(StagingTable.history) AS history
        LEFT JOIN (SELECT _load_seq FROM \(StagingTable.name)) AS staging
          ON staging._load_seq = history.load_seq
        GROUP BY 1
        """)
      var stagingRows: [String: Int] = [:]
      for row in rows { stagingRows[row[0].text ?? ""] = row[1].int }
      // Rows that no history row vouches for belong to no file.
      let foreign =
        try connection.query(
          """
          SELECT count(*) FROM \(StagingTable.name)
          WHERE _load_seq NOT IN (SELECT load_seq FROM \(StagingTable.history))
          """)[0][0].int ?? 0
      if foreign > 0 { stagingRows["rows without a load history"] = foreign }
      var isClosed = true
      if try Self.exists("raw.transform_window", connection) {
        let open = try connection.query(
          "SELECT count(*) FROM retail.raw.transform_window WHERE hi <> lo")
        isClosed = open[0][0].int == 0
      }
      return (counts, stagingRows, isClosed)
    }
  }

  private static func exists(_ table: String, _ connection: DuckDBConnection) throws -> Bool {
    try !connection.query(
      """
      SELECT 1 FROM information_schema.tables WHERE table_catalog = 'retail'
        AND table_schema || '.' || table_name = $1
      """, [.text(table)]
    ).isEmpty
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

/// The rows of bronze by the footers of its files.
struct FooterFacts {
  var rows: [ObjectKey: Int] = [:]
  var findings: [String] = []

  init(_ workspace: Workspace, commits: [Commit]) throws {
    let store = workspace.lake.store
    let connection = try DuckDBConnection(path: nil)
    let files = commits.flatMap { commit in commit.bronze.map { ($0.key, commit.batch) } }
    for start in stride(from: 0, to: files.count, by: 500) {
      var keys: [String: ObjectKey] = [:]
      for (key, batch) in files[start..<min(start + 500, files.count)] {
        // Committed and not published yet, it is still in tmp; a moment later it may be in place.
        let places = [key, LakeLayout.workFile(for: key, batch: batch), key]
        let path = places.map(store.readablePath).first {
          FileManager.default.fileExists(atPath: $0)
        }
        if let path {
          keys[path] = key
        } else {
          findings.append("\(key) was committed and is not in its place")
        }
      }
      let present = Array(keys.keys)
      if present.isEmpty { continue }
      do {
        try count(present, keys, connection)
      } catch {
        // One of them is no Parquet file: find it.
        for path in present {
          do {
            try count([path], keys, connection)
          } catch {
            findings.append("\(keys[path]!) is not a readable Parquet file")
          }
        }
      }
    }
  }

  private mutating func count(
    _ paths: [String], _ keys: [String: ObjectKey], _ connection: DuckDBConnection
  ) throws {
    let list = paths.map(\.sqlLiteral).joined(separator: ", ")
    let found = try connection.query(
      "SELECT file_name, CAST(num_rows AS BIGINT) FROM parquet_file_metadata([\(list)])")
    for row in found {
      if let path = row[0].text, let key = keys[path] { rows[key] = row[1].int }
    }
  }
}

/// The quarantine files in force.
struct QuarantineFacts {
  struct Place: Hashable {
    let object: String
    let line: Int
  }

  var records = 0
  /// The reason of each quarantined line, where they were asked for.
  var reasons: [Place: String] = [:]
  var findings: [String] = []

  init(_ workspace: Workspace, commits: [Commit], remembering: Bool) async throws {
    let superseded = Set(commits.flatMap(\.superseded))
    let files = commits.flatMap { commit in commit.quarantine.map { ($0.key, commit.batch) } }
    for (key, batch) in files where !superseded.contains(key) {
      // As with bronze, it may not be published yet.
      let store = workspace.lake.store
      var content: [UInt8]?
      for place in [key, LakeLayout.workFile(for: key, batch: batch), key] where content == nil {
        do {
          content = try await store.read(place)
        } catch let failure as ObjectStoreError where failure.code == .notFound {
          continue
        }
      }
      guard let bytes = content else {
        findings.append("\(key) was committed and is not in its place")
        continue
      }
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        records += 1
        guard remembering else { continue }
        let record = try QuarantineRecord(parsing: line)
        reasons[Place(object: record.sourceObject, line: Int(record.line))] =
          record.reason.rawValue
      }
    }
  }
}
