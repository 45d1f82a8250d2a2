extension ChunkEncoder {
  /// Writes texts, with a dictionary of our own where they repeat.
  func encode(
    _ task: Task, bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>
  ) throws -> ColumnBounds? {
    let rows = task.rows
    var bounds = TextBounds()
    if task.column.encoding == .automatic {
      let indexes = indexes(rows.valueCount)
      if dictionary.build(
        bytes: bytes, offsets: offsets, validity: rows.validity, rowCount: rows.count,
        valueCount: rows.valueCount, pageLimit: options.dictionaryBytes, indexes: indexes)
      {
        try pages.add(dictionary: dictionary.page.bytes, entryCount: dictionary.entryCount)
        try writeIndexPages(task, indexes, entryCount: dictionary.entryCount)
        bounds.add(plain: dictionary.page.bytes)
        return bounds.bounds(limit: options.boundBytes)
      }
    }
    let total = Int(offsets[rows.count])
    try writePages(task) { row, _ in
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

  /// Writes texts that the caller has coded, as they are unless they make too large a dictionary.
  func encode(
    _ task: Task, indexes: UnsafePointer<UInt32>, bytes: UnsafePointer<UInt8>,
    offsets: UnsafePointer<UInt32>, entryCount: Int
  ) throws -> ColumnBounds? {
    let numbers = try renumber(task, indexes, entryCount: entryCount)
    guard compactor.layOut(bytes: bytes, offsets: offsets) else {
      throw ParquetError(
        .tooLarge, "the entries in use are over 2 GiB", column: task.column.name)
    }
    let entries = compactor.page.bytes
    if isDictionaryKept(task) {
      try pages.add(dictionary: entries, entryCount: compactor.entryCount)
      try writeIndexPages(task, numbers, entryCount: compactor.entryCount)
    } else {
      let limit = options.pageBytes
      try writePages(task) { row, value in
        var value = value
        var size = 0
        for end in row..<min(task.rows.count, row + options.pageRows) {
          if let validity = task.rows.validity, validity[end] == 0 { continue }
          size += compactor.plain(at: Int(numbers[value])).count
          value += 1
          if size > limit, end > row { return end }
        }
        return min(task.rows.count, row + options.pageRows)
      } room: { _, values in
        values.reduce(0) { $0 + compactor.plain(at: Int(numbers[$1])).count }
      } fill: { _, values, target in
        PlainEncoder.encode(
          indexes: numbers + values.lowerBound, count: values.count, entries: compactor,
          to: target)
      }
    }
    var bounds = TextBounds()
    bounds.add(plain: entries)
    return bounds.bounds(limit: options.boundBytes)
  }

  /// The row at which a page that begins at `row` is full: as many rows as fit, and at least one.
  private func pageEnd(
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
