import Contract
import Lake
import ObjectStore
import Parquet
import Synchronization

/// Cleans raw objects one after another and writes their rows, as one of the workers of a batch.
///
/// Holds at most `mostBytes` of rows in memory: beyond it the largest day is written out as a row
/// group.
final class BatchWorker {
  /// What a worker made of the objects it took.
  struct Result: Sendable {
    var sources: [Commit.Source] = []
    var counts = LineCounts()
    var files: [Commit.File] = []
  }

  private static let mostBytes = 24 << 20
  private static let rowGroupRows = 128 << 10
  private static let mostOpenFiles = 128
  /// A file is ended at this size: warehouses load files of 100 to 250 MB best.
  private static let fileBytes = 192 << 20

  private let batch: BatchID
  private let contract: EventContract
  private let store: any ObjectStore
  private let quarantine: QuarantineWriter
  private let fileNumbers: FileNumbers
  fileprivate let decoder: LineDecoder
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 64)
  private let encodings: BronzeEncodings
  private let memory: WriterMemory
  private var keys = SourceKeys()
  private var open: [Int32: BronzeFile] = [:]
  private var result = Result()
  private let overlaps: Bool

  /// - Parameter overlaps: writes rows on another core while it reads on; where there are no other
  ///   workers to keep it busy.
  init(
    batch: BatchID, contract: EventContract, store: any ObjectStore,
    quarantine: QuarantineWriter, fileNumbers: FileNumbers, encodings: BronzeEncodings,
    overlaps: Bool = false
  ) throws {
    self.encodings = encodings
    self.overlaps = overlaps
    memory = try WriterMemory()
    self.batch = batch
    self.contract = contract
    self.store = store
    self.quarantine = quarantine
    self.fileNumbers = fileNumbers
    decoder = LineDecoder(contract: contract)
  }

  deinit { buffer.deallocate() }

  /// Reads one object to its end. After an error the batch is void.
  func clean(_ object: ObjectInfo, _ opened: any ObjectReader) async throws {
    let reader = RawObjectReader(opened, buffer: buffer)
    let day = LakeLayout.arrivalDay(of: object)
    decoder.begin(sourceObject: object.key.text, objectIndex: UInt32(keys.count))
    keys.append(object.key.text)
    var counts: LineCounts?
    var full: [EventColumns] = []
    while counts == nil {
      if overlaps, !full.isEmpty {
        let writing = Writing(worker: self, rows: full, sources: keys)
        async let written: Void = writing.run()
        counts = try await readOn(reader, day: day)
        try await written
        for rows in full { decoder.partitions.give(back: rows) }
      } else {
        for rows in full { try await write(rows, sources: keys) }
        counts = try await readOn(reader, day: day)
      }
      full = takeFull()
    }
    guard let counts else { return }
    for rows in full { try await write(rows, sources: keys) }
    result.counts += counts
    result.sources.append(
      Commit.Source(
        key: object.key, size: reader.info.sizeBytes, modified: reader.info.modifiedNanos,
        checksum: reader.checksum, lines: counts.lines))
  }

  /// Reads one object to its end to see whether that can be done.
  func readThrough(_ opened: any ObjectReader) async throws {
    let reader = RawObjectReader(opened, buffer: buffer)
    while try await reader.next({ _ in }) {}
  }

  /// Takes up a line that was read before, with the object and the number it had.
  func judge(_ record: QuarantineRecord) -> Verdict {
    // By bytes: two names that a reader cannot tell apart are still two objects.
    if keys.last?.utf8.elementsEqual(record.sourceObject.utf8) != true {
      keys.append(record.sourceObject)
    }
    decoder.begin(sourceObject: record.sourceObject, objectIndex: UInt32(keys.count - 1))
    let verdict = record.raw.withUnsafeBytes {
      decoder.decodeLine($0, lineNumber: record.line, byteOffset: record.byteOffset)
    }
    result.counts += decoder.finish()
    return verdict
  }

  /// Writes what is still in memory and ends the files.
  func finish() async throws -> Result {
    for rows in decoder.partitions.takeAll() { try await write(rows, sources: keys) }
    let ended = try open.sorted { $0.key < $1.key }.map { try $0.value.end() }
    open = [:]
    result.files += try await WrittenFile.finish(ended, in: store)
    return result
  }

  // MARK: -

  /// Reads an object until rows have to be written, or to its end: then with its counts.
  private func readOn(_ reader: RawObjectReader, day: String) async throws -> LineCounts? {
    while try await reader.next({ decoder.decode($0) }) {
      try await moveQuarantine(day: day)
      if hasFull { return nil }
    }
    let counts = decoder.finish()
    try await moveQuarantine(day: day)
    return counts
  }

  /// Moves on what has grown too large, or does not stay in memory at all.
  func relieve(day: String) async throws {
    try await moveQuarantine(day: day)
    guard hasFull else { return }
    for rows in takeFull() { try await write(rows, sources: keys) }
  }

  private func moveQuarantine(day: String) async throws {
    let bad = decoder.quarantine
    guard bad.recordCount > 0 else { return }
    try await quarantine.append(Array(bad.bytes), records: bad.recordCount, day: day)
    bad.removeAll()
  }

  private var hasFull: Bool {
    let rows = decoder.partitions
    return rows.mostRows >= Self.rowGroupRows || rows.sizeBytes > Self.mostBytes
  }

  /// The rows of days that make a row group, and where memory runs short, of the largest days: few,
  /// large row groups.
  private func takeFull() -> [EventColumns] {
    let rows = decoder.partitions
    var full: [EventColumns] = []
    for day in rows.days where rows[day]!.rowCount >= Self.rowGroupRows {
      if let columns = rows.take(day: day) { full.append(columns) }
    }
    var left = rows.sizeBytes
    guard left > Self.mostBytes else { return full }
    let sizes = rows.days.map { (day: $0, bytes: rows[$0]!.sizeBytes) }
    for (day, bytes) in sizes.sorted(by: { $0.bytes > $1.bytes }) {
      if left <= Self.mostBytes / 2 { break }
      if let columns = rows.take(day: day) { full.append(columns) }
      left -= bytes
    }
    return full
  }

  private func write(_ rows: EventColumns, sources: SourceKeys) async throws {
    try await writeOut(rows, sources: sources)
    decoder.partitions.give(back: rows)
  }

  /// Writes rows as a row group of their day's file. Uses nothing that reading on uses.
  fileprivate func writeOut(_ rows: EventColumns, sources: SourceKeys) async throws {
    let day = rows.day
    if open[day] == nil {
      if open.count >= Self.mostOpenFiles { try await close(open.keys.min()!) }
      open[day] = try BronzeFile(
        day: UTCDay.dayString(day), batch: batch, number: fileNumbers.next(), contract: contract,
        encodings: encodings, memory: memory, store: store)
    }
    try open[day]!.append(rows, sources: sources)
    if open[day]!.sizeBytes >= Self.fileBytes { try await close(day) }
  }

  private func close(_ day: Int32) async throws {
    guard let file = open.removeValue(forKey: day) else { return }
    result.files += try await WrittenFile.finish([try file.end()], in: store)
  }
}

/// Rows on their way out while their worker reads on.
///
/// Sendable, though its parts are not: the rows were taken from the decoder, and what `writeOut` uses
/// of the worker (files, encoder memory, finished files) nothing else uses until `run` has returned.
private struct Writing: @unchecked Sendable {
  let worker: BatchWorker
  let rows: [EventColumns]
  let sources: SourceKeys

  init(worker: BatchWorker, rows: [EventColumns], sources: SourceKeys) {
    self.worker = worker
    self.rows = rows
    self.sources = sources
    // The codes' tables go on growing.
    worker.decoder.partitions.freeze(rows)
  }

  @concurrent
  func run() async throws {
    for each in rows { try await worker.writeOut(each, sources: sources) }
  }
}

/// Numbers the files of a batch from 0, for all its workers.
final class FileNumbers: Sendable {
  private let last = Mutex(-1)

  func next() -> Int {
    last.withLock {
      $0 += 1
      return $0
    }
  }

  /// The next number, or from some moment on none; the first is always given.
  func next(unless isOver: Bool) -> Int? {
    last.withLock {
      if isOver, $0 >= 0 { return nil }
      $0 += 1
      return $0
    }
  }
}
