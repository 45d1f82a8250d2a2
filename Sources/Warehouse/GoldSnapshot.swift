import CrashPoint
public import DuckDB
import Flow
import Foundation
public import Lake
public import ObjectStore

/// What `gold/current.json` says: the files of one refresh of gold, for readers that have no
/// warehouse.
public struct GoldSnapshot: Codable, Sendable, Equatable {
  public struct Table: Codable, Sendable, Equatable {
    public let files: [String]
    public let rows: Int
    /// Equal where two refreshes found the same rows; nil in a pointer of an older build.
    public var fingerprint: String?
  }

  public let format: Int
  public let refresh: BatchID
  public let publishedAt: String
  public let tables: [String: Table]

  enum CodingKeys: String, CodingKey {
    case format, refresh, tables
    case publishedAt = "published_at"
  }

  /// Gold's tables, written as Parquet files of this host and not yet in the lake.
  public struct Export: Sendable {
    fileprivate let refresh: BatchID
    /// What is new.
    fileprivate let written: [(name: String, path: String)]
    fileprivate let tables: [String: Table]
  }

  /// Which refresh's files hold what gold holds now: no row while a dbt run has changed gold since.
  private static let exportTable = "retail.raw.gold_export"

  /// Writes the tables of the schema `gold` as files below `directory`.
  ///
  /// - Parameter published: tables whose files are in the lake; one that holds just that is not
  ///   written again. Its rows decide, not which models ran: whatever else wrote gold, or died on
  ///   the way, files that are named together hold one state.
  public static func export(
    _ connection: DuckDBConnection, to directory: String, refresh: BatchID,
    keeping published: [String: Table] = [:]
  ) throws -> Export {
    // What a killed process left there.
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    let names = try WarehouseTables(connection).names
      .filter { $0.hasPrefix("gold.") }.map { String($0.dropFirst("gold.".count)) }.sorted()
    var written: [(name: String, path: String)] = []
    var tables: [String: Table] = [:]
    for name in names {
      let (rows, fingerprint) = try fingerprint(of: name, connection)
      if let table = published[name], table.fingerprint == fingerprint {
        tables[name] = table
        continue
      }
      let path = "\(directory)/\(refresh)-\(name).parquet"
      try connection.execute(
        """
        COPY (SELECT * FROM retail.gold.\(name.sqlName) ORDER BY ALL) TO \(path.sqlLiteral)
          (FORMAT parquet, COMPRESSION zstd)
        """)
      written.append((name, path))
      tables[name] = Table(
        files: [LakeLayout.goldFile(table: name, refresh: refresh).text], rows: rows,
        fingerprint: fingerprint)
    }
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(exportTable) (refresh VARCHAR NOT NULL);
      DELETE FROM \(exportTable);
      INSERT INTO \(exportTable) VALUES (\(refresh.text.sqlLiteral));
      """)
    return Export(refresh: refresh, written: written, tables: tables)
  }

  /// The tables whose files are all in the lake.
  public func presentTables(in lake: Lake) async throws -> [String: Table] {
    var present: [String: Table] = [:]
    for (name, table) in tables {
      var isPresent = true
      for file in table.files
      where try await lake.store.info(ObjectKey(trusted: file)) == nil { isPresent = false }
      if isPresent { present[name] = table }
    }
    return present
  }

  /// How many rows a table of gold has, and what tells them, in any order, from others: of its
  /// columns' names and types, and of each row.
  private static func fingerprint(
    of table: String, _ connection: DuckDBConnection
  ) throws -> (rows: Int, fingerprint: String) {
    let found = try connection.query(
      """
      SELECT count(*), md5(concat_ws(';', count(*), sum(CAST(hash(gold) AS HUGEINT)), (
        SELECT string_agg(column_name || ' ' || data_type, ',' ORDER BY ordinal_position)
        FROM information_schema.columns
        WHERE table_catalog = 'retail' AND table_schema = 'gold' AND table_name = $1)))
      FROM retail.gold.\(table.sqlName) AS gold
      """, [.text(table)])
    return (found[0][0].int ?? 0, found[0][1].text ?? "")
  }

  /// Puts the exported files into the lake and switches the pointer to them; readers see the old
  /// snapshot or the new one. Files that neither names are removed ten minutes after they were replaced:
  /// a reader may have read the pointer before.
  public static func publish(_ export: Export, in lake: Lake) async throws -> GoldSnapshot {
    defer { for file in export.written { try? FileManager.default.removeItem(atPath: file.path) } }
    try await Concurrently.forEach(export.written, atOnce: lake.store.concurrency) { file in
      let key = LakeLayout.goldFile(table: file.name, refresh: export.refresh)
      try await copy(file.path, to: key, in: lake, batch: export.refresh)
    }
    // One that cannot be read names nothing that could be kept.
    let previous = try? await current(in: lake)
    let snapshot = GoldSnapshot(
      format: 1, refresh: export.refresh, publishedAt: Timestamp.text(Date()),
      tables: export.tables)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    CrashPoint.beforeGoldSwitch.reach()
    try await lake.store.replace(Array(encoder.encode(snapshot)), at: LakeLayout.goldPointer)
    CrashPoint.afterGoldSwitch.reach()
    try await removeWork(of: export.refresh, in: lake)
    try await removeOldFiles(keeping: [previous, snapshot].compactMap(\.self), in: lake)
    return snapshot
  }

  /// Removes what a refresh that was cut short left in `tmp/`.
  public static func removeWork(of refresh: BatchID, in lake: Lake) async throws {
    try await lake.store.deleteAll("\(LakeLayout.work)\(refresh)/")
  }

  /// The snapshot that the pointer names; nil before the first.
  ///
  /// Throws `LakeError.corruptPointer` if it cannot be read.
  public static func current(in lake: Lake) async throws -> GoldSnapshot? {
    guard try await lake.store.info(LakeLayout.goldPointer) != nil else { return nil }
    let bytes = try await lake.store.read(LakeLayout.goldPointer)
    do {
      return try JSONDecoder().decode(GoldSnapshot.self, from: Data(bytes))
    } catch {
      throw LakeError(
        .corruptPointer,
        "\(LakeLayout.goldPointer) cannot be read: 'medallion transform' publishes gold anew")
    }
  }

  /// The published files as files of this host, by their keys.
  public func localFiles(in lake: Lake) async throws -> [String: LocalFile] {
    let keys = tables.values.flatMap(\.files)
    let files = try await Concurrently.map(keys, atOnce: lake.store.concurrency) {
      try await lake.store.localFile(ObjectKey(trusted: $0), .whole)
    }
    return Dictionary(uniqueKeysWithValues: zip(keys, files))
  }

  /// How many rows of gold there are, how many were published, and how many stand in one of the two
  /// alone. Nil if gold has changed since this was published: then the next refresh publishes it.
  ///
  /// - Parameter local: the published files, by their keys.
  public func compare(
    with connection: DuckDBConnection, local: [String: LocalFile]
  ) throws -> (gold: Int, published: Int, different: Int)? {
    let names = try WarehouseTables(connection).names
    guard names.contains("raw.gold_export"),
      try connection.query("SELECT refresh FROM \(Self.exportTable)").first?[0].text
        == refresh.text
    else { return nil }
    var result = (gold: 0, published: 0, different: 0)
    let inWarehouse = names.filter { $0.hasPrefix("gold.") }.map { String($0.dropFirst(5)) }
    for name in Set(inWarehouse).union(tables.keys) {
      let gold = "SELECT * FROM retail.gold.\(name.sqlName)"
      let files = (tables[name]?.files ?? []).map { (local[$0]?.path ?? $0).sqlLiteral }.joined(
        separator: ", ")
      let published = "SELECT * FROM read_parquet([\(files)], hive_partitioning = false)"
      func count(_ sql: String) throws -> Int {
        try connection.query("SELECT count(*) FROM (\(sql))")[0][0].int ?? 0
      }
      let goldRows = inWarehouse.contains(name) ? try count(gold) : 0
      // A file that cannot be read, or has other columns, holds nothing that is gold.
      let publishedRows = files.isEmpty ? 0 : (try? count(published)) ?? 0
      result.gold += goldRows
      result.published += publishedRows
      guard inWarehouse.contains(name), !files.isEmpty else {
        result.different += goldRows + publishedRows
        continue
      }
      do {
        result.different += try count("(\(gold)) EXCEPT ALL (\(published))")
        result.different += try count("(\(published)) EXCEPT ALL (\(gold))")
      } catch let failure as DuckDBError where failure.code == .statement {
        result.different += max(1, goldRows + publishedRows)
      }
    }
    return result
  }

  // MARK: -

  private static func copy(
    _ path: String, to key: ObjectKey, in lake: Lake, batch: BatchID
  ) async throws {
    let work = LakeLayout.workFile(for: key, batch: batch)
    let writer = try lake.store.createWorkObject(work)
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw ObjectStoreError(.notFound, "\(path) vanished before it was published")
    }
    defer { try? file.close() }
    while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
      try piece.withUnsafeBytes { try writer.write($0) }
    }
    try await writer.finish()
    CrashPoint.beforeGoldPublish.reach()
    try await lake.store.publish(work, as: key)
  }

  /// Removes files that were replaced long enough ago: as old as that is the file after them.
  private static func removeOldFiles(keeping: [GoldSnapshot], in lake: Lake) async throws {
    let kept = Set(keeping.flatMap { $0.tables.values.flatMap(\.files) })
    var files: [ObjectInfo] = []
    try await lake.store.list(LakeLayout.gold) { object in
      if object.key != LakeLayout.goldPointer { files.append(object) }
      return true
    }
    // In the order of their keys those of a table stand in the order of their refreshes.
    files.sort { $0.key < $1.key }
    let now = Date().timeIntervalSince1970
    for (index, file) in files.enumerated() where !kept.contains(file.key.text) {
      let table = file.key.text.dropLast(file.key.name.count)
      let next = files[(index + 1)...].first.flatMap { $0.key.text.hasPrefix(table) ? $0 : nil }
      let replaced = (next ?? file).modifiedNanos
      if now - Double(replaced) / 1e9 > 600 { try await lake.store.delete(file.key) }
    }
  }
}
