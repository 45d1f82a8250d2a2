extension ChunkEncoder {
  /// Writes integers as their differences.
  func encodeDelta<T: FixedWidthValue & FixedWidthInteger & SignedInteger>(
    _ plan: ChunkPlan, values: UnsafePointer<T>
  ) throws -> ColumnBounds? {
    let rows = plan.rows
    let width = MemoryLayout<T>.size
    let rowsPerPage = min(options.pageRows, max(1, options.pageBytes / width))
    var bounds = NumberBounds<T>()
    pages.use(.deltaBinaryPacked)
    try writePages(plan) { row, _ in
      min(rows.count, row + rowsPerPage)
    } room: { _, values in
      DeltaEncoder.bound(values.count)
    } fill: { pageRows, pageValues, target in
      let page = memory.scratch.elements(pageValues.count, of: T.self)
      _ = PlainEncoder.encode(values, validity: rows.validity, rows: pageRows, to: page)
      bounds.add(plain: page, count: pageValues.count)
      return DeltaEncoder.encode(page, count: pageValues.count, to: target)
    }
    return bounds.bounds
  }

  /// Writes texts as the differences of their lengths, then their bytes.
  ///
  /// - Parameter prefix: bytes in front of each text that are not of it.
  func encodeDelta(
    _ plan: ChunkPlan, bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt32>,
    prefix: Int = 0
  ) throws -> ColumnBounds? {
    let rows = plan.rows
    try checkOffsets(offsets, count: rows.count, plan)
    let total = Int(offsets[rows.count])
    var bounds = TextBounds()
    pages.use(.deltaLengthByteArray)
    try writePages(plan) { row, _ in
      pageEnd(from: row, of: rows.count, offsets)
    } room: { rows, values in
      DeltaEncoder.bound(values.count)
        + Int(offsets[rows.upperBound]) - Int(offsets[rows.lowerBound])
    } fill: { pageRows, pageValues, target in
      let lengths = memory.scratch.elements(pageValues.count, of: Int32.self)
      var count = 0
      for row in pageRows {
        if let validity = rows.validity, validity[row] == 0 { continue }
        lengths[count] = Int32(offsets[row + 1] - offsets[row]) - Int32(prefix)
        count += 1
      }
      var end = target + DeltaEncoder.encode(lengths, count: count, to: target)
      let source = UnsafeRawPointer(bytes)
      for row in pageRows {
        if let validity = rows.validity, validity[row] == 0 { continue }
        let start = Int(offsets[row]) + prefix
        let length = Int(offsets[row + 1]) - start
        end.copyMemory(from: source + start, byteCount: length)
        end += length
        bounds.add(source + start, count: length, readable: total - start)
      }
      return end - target
    }
    return bounds.bounds(limit: options.boundBytes)
  }
}
