/// Compresses pages, puts their headers before them, and passes them on to the sink.
///
/// It also decides, for each column chunk, whether compression pays: the codec belongs to the
/// chunk, so the dictionary page is held until the first data page tells.
///
/// Not sendable: one task writes a file.
final class PageWriter {
  private let sink: (UnsafeRawBufferPointer) throws -> Void
  private let memory: WriterMemory
  private let level: Int
  /// Bytes that the sink has.
  private var flushedBytes: Int64 = 0

  private var chunk = ColumnChunk()
  private var setting: ZstdCompressor.Setting?
  /// What the chunk was asked for; a page may do better.
  private var usualSetting: ZstdCompressor.Setting?
  private var isCodecSettled = false
  /// The dictionary page, until the codec is settled.
  private var heldDictionary: (body: UnsafeRawBufferPointer, entryCount: Int)?

  /// More than any page header takes.
  private static let headerRoom = 64

  init(
    level: Int, columnCount: Int, memory: WriterMemory,
    sink: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) {
    self.sink = sink
    self.level = level
    self.memory = memory
    memory.prepare(columnCount)
  }

  /// Takes the memory, in which a writer that failed may have left something.
  func begin() { memory.out.count = 0 }

  /// Where the next byte goes in the file.
  var offset: Int64 { flushedBytes + Int64(memory.out.count) }

  func beginChunk(_ compression: ParquetSchema.Column.Compression) {
    chunk = ColumnChunk()
    heldDictionary = nil
    switch compression {
    case .automatic: setting = .level(level)
    case .zstd(let level): setting = .level(level)
    case .none: setting = nil
    }
    usualSetting = setting
    isCodecSettled = setting == nil
  }

  /// Writes the entries, laid out as PLAIN, which have to stay valid up to the first data page.
  func add(dictionary body: UnsafeRawBufferPointer, entryCount: Int) throws {
    chunk.encoding = .plainDictionary
    if isCodecSettled {
      try append(dictionary: body, entryCount: entryCount)
    } else {
      heldDictionary = (body, entryCount)
    }
  }

  /// Writes a page of `rowCount` values, nulls among them.
  ///
  /// `share` is this page's part of the chunk, for the first page to stand for the rest.
  func add(data body: UnsafeRawBufferPointer, rowCount: Int, share: Double) throws {
    if isCodecSettled {
      try append(data: body, rowCount: rowCount)
    } else {
      try settleCodec(body, rowCount: rowCount, share: share)
    }
    if memory.out.count >= WriterMemory.flushBytes { try flush() }
  }

  /// Names the encoding of the chunk's data pages, if it is not PLAIN and has no dictionary.
  func use(_ encoding: PageEncoding) { chunk.encoding = encoding }

  func endChunk() -> ColumnChunk { chunk }

  /// Writes bytes that are no page: magic and footer.
  func add(raw bytes: UnsafeRawBufferPointer) {
    memory.out.append(bytes)
  }

  /// Gives the sink all that it does not have yet.
  func flush() throws {
    guard memory.out.count > 0 else { return }
    try sink(memory.out.bytes)
    flushedBytes += Int64(memory.out.count)
    memory.out.count = 0
  }

  /// Tries, once a column, whether near-random text does as well at a quicker setting.
  ///
  /// - Parameter width: what each text takes with its length, if they can all be of one.
  func chooseSetting(
    forText body: UnsafeRawBufferPointer, column: Int, width: Int? = nil
  ) throws {
    // What suited the page before need not suit this one: its texts may have other lengths.
    setting = usualSetting
    guard let setting, case .level = setting, chunk.encoding == .plain,
      body.count >= Self.trialBytes / 4
    else { return }
    if memory.chosen[column] == nil {
      let usual = try sampleSize(of: body, setting)
      var best = (setting: setting, size: usual + usual / 10)
      var quicker: [ZstdCompressor.Setting] = [.sparseMatches]
      if let width { quicker.append(.fixedTexts(width: width)) }
      for candidate in quicker {
        let size = try sampleSize(of: body, candidate)
        if size <= best.size { best = (candidate, size) }
      }
      memory.chosen[column] = best.setting
    }
    switch memory.chosen[column] {
    case .fixedTexts:
      if let width { self.setting = .fixedTexts(width: width) }
    case .some(let other): self.setting = other
    case nil: break
    }
  }

  /// Tries, once a column, whether numbers do better where only their low bytes are new, or where
  /// they count up.
  ///
  /// - Parameter isFree: whether to take a larger result for less time, and other ways of zstd.
  func chooseSetting(
    forNumbers body: UnsafeRawBufferPointer, column: Int, isFree: Bool
  ) throws {
    guard let setting, case .level = setting, chunk.encoding == .plain,
      body.count >= Self.trialBytes / 4
    else { return }
    if memory.chosen[column] == nil {
      var best = (setting: setting, size: try sampleSize(of: body, setting))
      if isFree {
        let size = try sampleSize(of: body, .repeats)
        if size <= best.size { best = (.repeats, size) }
      }
      let mostBytes = isFree ? best.size + best.size / 20 : best.size
      if try sampleSize(of: body, .numbers) <= mostBytes { best.setting = .numbers }
      memory.chosen[column] = best.setting
    }
    if let chosen = memory.chosen[column] { self.setting = chosen }
  }

  private func sampleSize(
    of body: UnsafeRawBufferPointer, _ setting: ZstdCompressor.Setting
  ) throws -> Int {
    var size = min(body.count, Self.trialBytes)
    if case .fixedTexts(let width) = setting { size -= size % width }
    let sample = UnsafeRawBufferPointer(rebasing: body.prefix(size))
    memory.out.reserve(ZstdCompressor.bound(size))
    try memory.compressor.use(setting)
    return try memory.compressor.compress(sample, to: memory.out.end)
  }

  private static let trialBytes = 1 << 17

  /// Writes the chunk's first pages compressed, and anew without if that saves less than a tenth.
  private func settleCodec(
    _ body: UnsafeRawBufferPointer, rowCount: Int, share: Double
  ) throws {
    let start = memory.out.count
    let untouched = chunk
    isCodecSettled = true
    chunk.codec = .zstd
    var dictionaryBytes = 0
    if let (entries, entryCount) = heldDictionary {
      try append(dictionary: entries, entryCount: entryCount)
      dictionaryBytes = entries.count
    }
    let dictionarySaving = chunk.uncompressedBytes - chunk.compressedBytes
    try append(data: body, rowCount: rowCount)
    let dataSaving = chunk.uncompressedBytes - chunk.compressedBytes - dictionarySaving
    let whole = Double(dictionaryBytes) + Double(body.count) / share
    let saving = Double(dictionarySaving) + Double(dataSaving) / share
    if saving * 10 < whole {
      memory.out.count = start
      chunk = untouched
      chunk.codec = .uncompressed
      if let (entries, entryCount) = heldDictionary {
        try append(dictionary: entries, entryCount: entryCount)
      }
      try append(data: body, rowCount: rowCount)
    }
    heldDictionary = nil
  }

  private func append(dictionary body: UnsafeRawBufferPointer, entryCount: Int) throws {
    chunk.dictionaryPageOffset = offset
    try append(body, type: .dictionary) { header in
      header.field(
        7,
        structure: {
          $0.field(1, Int32(entryCount))
          $0.field(2, PageEncoding.plainDictionary.rawValue)
        })
    }
  }

  private func append(data body: UnsafeRawBufferPointer, rowCount: Int) throws {
    if chunk.dataPageCount == 0 { chunk.dataPageOffset = offset }
    chunk.dataPageCount += 1
    chunk.valueCount += Int64(rowCount)
    let encoding = chunk.encoding
    try append(body, type: .data) { header in
      header.field(
        5,
        structure: {
          $0.field(1, Int32(rowCount))
          $0.field(2, encoding.rawValue)
          $0.field(3, PageEncoding.rle.rawValue)
          $0.field(4, PageEncoding.rle.rawValue)
        })
    }
  }

  /// Appends a page; the header's own fields come from `describe`.
  ///
  /// The header holds the compressed length, so it is laid down after the body, which then moves
  /// up to it.
  private func append(
    _ body: UnsafeRawBufferPointer, type: PageType,
    describe: (inout ThriftCompactWriter) -> Void
  ) throws {
    var length = body.count
    if chunk.codec == .zstd, let setting {
      memory.out.reserve(Self.headerRoom + ZstdCompressor.bound(body.count))
      try memory.compressor.use(setting)
      length = try memory.compressor.compress(body, to: memory.out.end + Self.headerRoom)
    } else {
      memory.out.reserve(Self.headerRoom + body.count)
    }
    memory.header.removeAll()
    memory.header.element(structure: {
      $0.field(1, type.rawValue)
      $0.field(2, Int32(body.count))
      $0.field(3, Int32(length))
      describe(&$0)
    })
    let compressed = memory.out.end + Self.headerRoom
    memory.out.append(memory.header.bytes)
    if let source = chunk.codec == .zstd ? UnsafeRawPointer(compressed) : body.baseAddress {
      memory.out.end.copyMemory(from: source, byteCount: length)
    }
    memory.out.count += length
    chunk.uncompressedBytes += Int64(memory.header.count + body.count)
    chunk.compressedBytes += Int64(memory.header.count + length)
  }
}
