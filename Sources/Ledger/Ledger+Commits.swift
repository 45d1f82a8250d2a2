import GRDB
public import Lake
public import ObjectStore

extension Ledger {
  /// Reads the commits that the ledger does not have yet, and returns how many there were.
  @discardableResult
  public func catchUp(with lake: Lake) async throws -> Int {
    var count = 0
    while true {
      let commits = try await lake.commits.read(after: try lastCommit())
      if commits.isEmpty { return count }
      try apply(commits)
      count += commits.count
    }
  }

  /// Throws `LakeError.foreignState` if the ledger has a commit that the lake has not: the lake was
  /// restored from an older copy, and what the ledger knows beyond it is no longer true.
  public func checkAgainst(_ lake: Lake) async throws {
    let newest = try read { database in
      try Row.fetchOne(
        database, sql: "SELECT number, batch FROM commits ORDER BY number DESC LIMIT 1"
      ).map { (number: $0["number"] as Int, batch: $0["batch"] as String) }
    }
    guard let newest else { return }
    guard try await lake.commits.read(newest.number)?.batch.text == newest.batch else {
      throw LakeError(
        .foreignState,
        "the ledger \(path) has commit \(newest.number), which the lake has not: the lake is an older copy; move the ledger aside, the next start reads it anew"
      )
    }
  }

  /// The number of the newest commit that the ledger has; 0 if none.
  public func lastCommit() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT max(number) FROM commits") ?? 0 }
  }

  /// Takes up commits that follow the newest one without a gap; those it has are passed over.
  public func apply(_ commits: [Commit]) throws {
    try write { database in
      var last = try Int.fetchOne(database, sql: "SELECT max(number) FROM commits") ?? 0
      for commit in commits where commit.number > last {
        guard commit.number == last + 1 else {
          throw LakeError(.corruptCommit, "commit \(last + 1) is missing before \(commit.number)")
        }
        try Self.insert(commit, database)
        last = commit.number
      }
    }
  }

  private static func insert(_ commit: Commit, _ database: Database) throws {
    try database.execute(
      sql:
        "INSERT INTO commits(number, batch, kind, contract, committed_at) VALUES (?, ?, ?, ?, ?)",
      arguments: [
        commit.number, commit.batch.text, commit.kind.rawValue, commit.contract, commit.committedAt,
      ])
    try insert(commit.sources, of: commit.number, database)
    for (layer, files) in [("bronze", commit.bronze), ("quarantine", commit.quarantine)] {
      for file in files {
        try database.execute(
          sql: """
            INSERT INTO files(key, commit_number, layer, size, rows, sha256, contract)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            file.key.text, commit.number, layer, file.size, file.rows, file.sha256, file.contract,
          ])
      }
    }
    for key in commit.superseded {
      try database.execute(
        sql: "UPDATE files SET superseded = 1 WHERE key = ?", arguments: [key.text])
    }
    var totals = [
      "raw.objects": commit.sources.count,
      "raw.lines": commit.counts.lines,
      "raw.bytes": Int(commit.sources.map(\.size).reduce(0, +)),
      "accepted": commit.counts.accepted,
      "blank": commit.counts.blank,
      "bronze.files": commit.bronze.count,
      "bronze.rows": commit.bronze.map(\.rows).reduce(0, +),
    ]
    for size in FileSizes.classes {
      totals[size.total] = commit.bronze.count { size.range.contains($0.size) }
    }
    for (reason, count) in commit.counts.quarantined { totals["quarantined.\(reason)"] = count }
    for (field, count) in commit.counts.rescued { totals["rescued.\(field)"] = count }
    for (name, value) in totals {
      try database.execute(
        sql: """
          INSERT INTO totals(name, value) VALUES (?, ?)
          ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
          """,
        arguments: [name, value])
    }
    try database.execute(sql: "DELETE FROM work WHERE batch = ?", arguments: [commit.batch.text])
  }

  /// Statements are prepared once: a batch may have consumed thousands of small objects.
  private static func insert(
    _ sources: [Commit.Source], of number: Int, _ database: Database
  ) throws {
    let insert = try database.cachedStatement(
      sql: """
        INSERT OR IGNORE INTO raw_objects(key, size, modified, checksum, commit_number)
        VALUES (?, ?, ?, ?, ?)
        """)
    let forget = try ["tries", "parked"].compactMap { table in
      try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM \(table))") == true
        ? try database.cachedStatement(sql: "DELETE FROM \(table) WHERE key = ?") : nil
    }
    for source in sources {
      try insert.execute(arguments: [
        source.key.text, source.size, source.modified, source.checksum, number,
      ])
      guard database.changesCount == 1 else {
        let other = try Int.fetchOne(
          database, sql: "SELECT commit_number FROM raw_objects WHERE key = ?",
          arguments: [source.key.text])
        throw LakeError(
          .corruptCommit,
          "commits \(other ?? 0) and \(number) both consumed \(source.key): restore commits/ from a copy"
        )
      }
      for statement in forget { try statement.execute(arguments: [source.key.text]) }
    }
  }

  /// The sums over all commits, by name.
  public func totals() throws -> [String: Int] {
    try read { database in
      let rows = try Row.fetchAll(database, sql: "SELECT name, value FROM totals")
      return Dictionary(uniqueKeysWithValues: rows.map { ($0["name"], $0["value"]) })
    }
  }

  // MARK: - publication

  /// A committed batch with files that may not be in their places yet.
  public struct Unpublished: Sendable {
    public let commit: Int
    public let batch: String
    public let keys: [ObjectKey]
  }

  public func unpublished() throws -> [Unpublished] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT number, batch FROM commits WHERE published = 0 ORDER BY number"
      ).map { row in
        let number: Int = row["number"]
        let keys = try String.fetchAll(
          database, sql: "SELECT key FROM files WHERE commit_number = ? ORDER BY key",
          arguments: [number])
        return Unpublished(
          commit: number, batch: row["batch"], keys: keys.map { ObjectKey(trusted: $0) })
      }
    }
  }

  public func markPublished(_ commits: [Int]) throws {
    try write { database in
      for commit in commits {
        try database.execute(
          sql: "UPDATE commits SET published = 1 WHERE number = ?", arguments: [commit])
      }
    }
  }

  // MARK: - work

  /// Notes a batch whose work objects must be removed if it is never committed.
  public func beginWork(_ batch: BatchID) throws {
    try write {
      try $0.execute(sql: "INSERT INTO work(batch) VALUES (?)", arguments: [batch.text])
    }
  }

  public func endWork(_ batch: String) throws {
    try write { try $0.execute(sql: "DELETE FROM work WHERE batch = ?", arguments: [batch]) }
  }

  /// The batches that were begun and neither committed nor ended.
  public func abandonedWork() throws -> [String] {
    try read { try String.fetchAll($0, sql: "SELECT batch FROM work ORDER BY batch") }
  }

  // MARK: - quarantine

  /// A quarantine file in force, and the contract under which its lines were judged.
  public struct QuarantineFile: Sendable {
    public let file: Commit.File
    public let contract: String
  }

  public func quarantineFiles() throws -> [QuarantineFile] {
    try quarantineFiles("commit_number, key", limit: .max)
  }

  /// The newest of them, newest first.
  public func quarantineFiles(newest limit: Int) throws -> [QuarantineFile] {
    try quarantineFiles("commit_number DESC, key DESC", limit: limit)
  }

  private func quarantineFiles(_ order: String, limit: Int) throws -> [QuarantineFile] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT files.*, coalesce(files.contract, commits.contract) AS judged_under FROM files
          JOIN commits ON commits.number = files.commit_number
          WHERE layer = 'quarantine' AND superseded = 0 AND commits.published = 1
          ORDER BY \(order) LIMIT ?
          """, arguments: [limit]
      ).map { QuarantineFile(file: Self.file($0), contract: $0["judged_under"]) }
    }
  }

  public func isSuperseded(_ key: ObjectKey) throws -> Bool {
    try read {
      try Bool.fetchOne(
        $0, sql: "SELECT superseded FROM files WHERE key = ?", arguments: [key.text]) ?? false
    }
  }

  static func file(_ row: Row) -> Commit.File {
    Commit.File(
      key: ObjectKey(trusted: row["key"]), size: row["size"], rows: row["rows"],
      sha256: row["sha256"])
  }
}
