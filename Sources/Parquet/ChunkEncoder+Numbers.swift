extension ChunkEncoder {
  /// Writes numbers, with a dictionary of our own where they repeat.
  func encode<T: FixedWidthValue>(
    _ plan: ChunkPlan, values: UnsafePointer<T>
  ) throws -> ColumnBounds? {
    let rows = plan.rows
    var bounds = NumberBounds<T>()
    if plan.column.encoding != .plain {
      let indexes = indexes(rows.valueCount)
      if memory.dictionary.build(
        values: values, validity: rows.validity, rowCount: rows.count,
        valueCount: rows.valueCount, pageLimit: options.dictionaryBytes, indexes: indexes)
      {
        let entries = memory.dictionary.page.bytes
        try pages.add(dictionary: entries, entryCount: memory.dictionary.entryCount)
        try writeIndexPages(plan, indexes, entryCount: memory.dictionary.entryCount)
        bounds.add(plain: memory.dictionary.page.start, count: memory.dictionary.entryCount)
        return bounds.bounds
      }
    }
    if rows.validity == nil {
      // They lie as the page has them.
      let width = MemoryLayout<T>.size
      let rowsPerPage = min(options.pageRows, max(1, options.pageBytes / width))
      var row = 0
      while row < rows.count {
        let end = min(rows.count, row + rowsPerPage)
        let page = UnsafeRawBufferPointer(start: values + row, count: (end - row) * width)
        bounds.add(plain: page.baseAddress!, count: end - row)
        try writePage(plan, row..<end, plain: page)
        row = end
      }
      return bounds.bounds
    }
    try writeNumberPages(plan, of: T.self) { pageRows, pageValues, target in
      let byteCount = PlainEncoder.encode(
        values, validity: rows.validity, rows: pageRows, to: target)
      bounds.add(plain: target, count: pageValues.count)
      return byteCount
    }
    return bounds.bounds
  }

  /// Writes numbers that the caller has coded, as they are unless they make too large a dictionary.
  func encode<T: FixedWidthValue>(
    _ plan: ChunkPlan, indexes: UnsafePointer<UInt32>, entries: UnsafePointer<T>, entryCount: Int
  ) throws -> ColumnBounds? {
    let numbers = try renumber(plan, indexes, entryCount: entryCount)
    memory.compactor.layOut(entries)
    if isDictionaryKept(plan) {
      try pages.add(
        dictionary: memory.compactor.page.bytes, entryCount: memory.compactor.entryCount)
      try writeIndexPages(plan, numbers, entryCount: memory.compactor.entryCount)
    } else {
      let used = UnsafeRawPointer(memory.compactor.page.start).assumingMemoryBound(to: T.self)
      try writeNumberPages(plan, of: T.self) { _, values, target in
        PlainEncoder.encode(
          indexes: numbers + values.lowerBound, count: values.count, entries: used, to: target)
      }
    }
    var bounds = NumberBounds<T>()
    bounds.add(plain: memory.compactor.page.start, count: memory.compactor.entryCount)
    return bounds.bounds
  }

  /// Writes booleans, a bit each.
  func encode(_ plan: ChunkPlan, flags: UnsafePointer<UInt8>) throws -> ColumnBounds? {
    let rows = plan.rows
    var hasTrue = false
    var hasFalse = false
    let rowsPerPage = min(options.pageRows, options.pageBytes * 8)
    try writePages(plan) { row, _ in
      min(rows.count, row + rowsPerPage)
    } room: { _, values in
      values.count / 8 + 1
    } fill: { pageRows, _, target in
      let page = PlainEncoder.encode(
        flags, validity: rows.validity, rows: pageRows, scratch: scratch(pageRows.count + 1),
        to: target)
      if page.trueCount > 0 { hasTrue = true }
      if page.trueCount < page.valueCount { hasFalse = true }
      return page.byteCount
    }
    guard hasTrue || hasFalse else { return nil }
    return ColumnBounds(lower: [hasFalse ? 0 : 1], upper: [hasTrue ? 1 : 0])
  }

  private func writeNumberPages<T: FixedWidthValue>(
    _ plan: ChunkPlan, of type: T.Type,
    fill: (Range<Int>, Range<Int>, UnsafeMutableRawPointer) -> Int
  ) throws {
    let width = MemoryLayout<T>.size
    let rowsPerPage = min(options.pageRows, max(1, options.pageBytes / width))
    try writePages(
      plan, pageEnd: { row, _ in min(plan.rows.count, row + rowsPerPage) },
      room: { _, values in values.count * width }, fill: fill)
  }

  /// Renumbers the caller's dictionary to the entries in use; gives an index a value.
  func renumber(
    _ plan: ChunkPlan, _ indexes: UnsafePointer<UInt32>, entryCount: Int
  ) throws(ParquetError) -> UnsafePointer<UInt32> {
    let numbers = self.indexes(plan.rows.valueCount)
    guard
      memory.compactor.renumber(
        indexes, validity: plan.rows.validity, rowCount: plan.rows.count, entryCount: entryCount,
        to: numbers)
    else {
      throw ParquetError(
        .invalidIndex, "a dictionary index is not below the entry count \(entryCount)",
        column: plan.column.name)
    }
    return UnsafePointer(numbers)
  }

  /// Whether the caller's dictionary is used: not if there is nothing to code, the column is to be
  /// PLAIN, or the page would be too large.
  func isDictionaryKept(_ plan: ChunkPlan) -> Bool {
    memory.compactor.entryCount > 0 && plan.column.encoding != .plain
      && memory.compactor.page.count <= options.dictionaryBytes
  }
}
