extension ChunkEncoder {
  /// Writes texts, with a dictionary of our own where they repeat.
  func encode(
    _ plan: ChunkPlan, bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>
  ) throws -> ColumnBounds? {
    let rows = plan.rows
    try checkOffsets(offsets, count: rows.count, plan)
    var bounds = TextBounds()
    if plan.column.encoding != .plain {
      let indexes = indexes(rows.valueCount)
      if memory.dictionary.build(
        bytes: bytes, offsets: offsets, validity: rows.validity, rowCount: rows.count,
        valueCount: rows.valueCount, pageLimit: options.dictionaryBytes, indexes: indexes)
      {
        try pages.add(
          dictionary: memory.dictionary.page.bytes, entryCount: memory.dictionary.entryCount)
        try writeIndexPages(plan, indexes, entryCount: memory.dictionary.entryCount)
        bounds.add(plain: memory.dictionary.page.bytes)
        return bounds.bounds(limit: options.boundBytes)
      }
    }
    let total = Int(offsets[rows.count])
    try writePages(plan) { row, _ in
      pageEnd(from: row, of: rows.count, offsets)
    } room: { rows, _ in
      Int(offsets[rows.upperBound]) - Int(offsets[rows.lowerBound]) + 4 * rows.count
    } fill: { pageRows, _, target in
      bounds.add(
        bytes: bytes, offsets: offsets, validity: rows.validity, rows: pageRows, total: total)
      return PlainEncoder.encode(
        bytes: bytes, offsets: offsets, validity: rows.validity, rows: pageRows, total: total,
        to: target)
    }
    return bounds.bounds(limit: options.boundBytes)
  }

  /// Writes texts that lie in memory as PLAIN has them.
  func encode(
    _ plan: ChunkPlan, prefixed bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>
  ) throws -> ColumnBounds? {
    let rows = plan.rows
    guard rows.nullCount == 0 else {
      throw ParquetError(
        .unexpectedNulls, "\(rows.nullCount) nulls among texts with their lengths",
        column: plan.column.name)
    }
    try checkOffsets(offsets, count: rows.count, plan)
    var bounds = TextBounds()
    var row = 0
    while row < rows.count {
      let end = min(
        rows.count, row + options.pageRows, pageEnd(from: row, of: rows.count, prefixed: offsets))
      let page = UnsafeRawBufferPointer(
        start: bytes + Int(offsets[row]), count: Int(offsets[end]) - Int(offsets[row]))
      guard bounds.add(prefixed: page, count: end - row) else {
        throw ParquetError(
          .invalidOffsets, "a text's length is not that of its offsets", column: plan.column.name)
      }
      try writePage(plan, row..<end, plain: page)
      row = end
    }
    return bounds.bounds(limit: options.boundBytes)
  }

  /// The row at which a page of texts with their lengths that begins at `row` is full.
  private func pageEnd(
    from row: Int, of rowCount: Int, prefixed offsets: UnsafePointer<UInt32>
  ) -> Int {
    let limit = Int(offsets[row]) + options.pageBytes
    var low = row + 1
    var high = rowCount
    // The last row whose end is within the limit; offsets rise.
    while low < high {
      let middle = (low + high + 1) / 2
      if Int(offsets[middle]) <= limit { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Writes texts that the caller has coded, as they are unless they make too large a dictionary.
  func encode(
    _ plan: ChunkPlan, indexes: UnsafePointer<UInt32>, bytes: UnsafePointer<UInt8>,
    offsets: UnsafePointer<UInt32>, entryCount: Int
  ) throws -> ColumnBounds? {
    try checkOffsets(offsets, count: entryCount, plan)
    let numbers = try renumber(plan, indexes, entryCount: entryCount)
    guard memory.compactor.layOut(bytes: bytes, offsets: offsets) else {
      throw ParquetError(
        .tooLarge, "the entries in use are over 2 GiB", column: plan.column.name)
    }
    let entries = memory.compactor.page.bytes
    if isDictionaryKept(plan) {
      try pages.add(dictionary: entries, entryCount: memory.compactor.entryCount)
      try writeIndexPages(plan, numbers, entryCount: memory.compactor.entryCount)
    } else {
      let limit = options.pageBytes
      try writePages(plan) { row, value in
        var value = value
        var size = 0
        for end in row..<min(plan.rows.count, row + options.pageRows) {
          if let validity = plan.rows.validity, validity[end] == 0 { continue }
          size += memory.compactor.plain(at: Int(numbers[value])).count
          value += 1
          if size > limit, end > row { return end }
        }
        return min(plan.rows.count, row + options.pageRows)
      } room: { _, values in
        values.reduce(0) { $0 + memory.compactor.plain(at: Int(numbers[$1])).count }
      } fill: { _, values, target in
        PlainEncoder.encode(
          indexes: numbers + values.lowerBound, count: values.count, entries: memory.compactor,
          to: target)
      }
    }
    var bounds = TextBounds()
    bounds.add(plain: entries)
    return bounds.bounds(limit: options.boundBytes)
  }

  /// Throws `invalidOffsets` if a text would end before it begins: sizes are reckoned from the ends
  /// of many texts, so nothing may be copied before this is sure.
  func checkOffsets(
    _ offsets: UnsafePointer<UInt32>, count: Int, _ plan: ChunkPlan
  ) throws(ParquetError) {
    var hasFall = false
    for i in 0..<count where offsets[i &+ 1] < offsets[i] { hasFall = true }
    if hasFall {
      throw ParquetError(
        .invalidOffsets, "an offset is less than the one before it", column: plan.column.name)
    }
  }

  /// The row at which a page that begins at `row` is full: as many rows as fit, and at least one.
  func pageEnd(
    from row: Int, of rowCount: Int, _ offsets: UnsafePointer<UInt32>
  ) -> Int {
    let start = Int(offsets[row])
    var least = row + 1
    var most = min(rowCount, row + options.pageRows)
    while least < most {
      let middle = least + (most - least + 1) / 2
      if Int(offsets[middle]) - start + 4 * (middle - row) <= options.pageBytes {
        least = middle
      } else {
        most = middle - 1
      }
    }
    return least
  }
}
