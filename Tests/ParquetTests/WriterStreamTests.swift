import Foundation
import Parquet
import Testing

@Suite("The bytes given to the sink")
struct WriterStreamTests {
  private func file(rowGroups: [Int]) -> TestFile {
    var random = RandomColumns(seed: 12)
    let rowCount = rowGroups.reduce(0, +)
    return TestFile(
      columns: (0..<6).map { random.column(named: "c\($0)", rowCount) }, rowGroups: rowGroups)
  }

  @Test("the same rows give the same bytes")
  func sameBytes() throws {
    let rowGroups = [5000, 0, 17, 9000]
    let first = try file(rowGroups: rowGroups).written().bytes
    let isSame = try file(rowGroups: rowGroups).written().bytes == first
    #expect(isSame)
  }

  @Test("begin and end with PAR1, and are as many as the summary says")
  func magic() throws {
    let (bytes, pieces, summary) = try file(rowGroups: [100]).written()
    #expect(bytes.prefix(4) == Data("PAR1".utf8) && bytes.suffix(4) == Data("PAR1".utf8))
    #expect(summary.sizeBytes == bytes.count && pieces.reduce(0, +) == bytes.count)
    #expect(summary.rowCount == 100 && summary.rowGroupCount == 1)
  }

  @Test("come in pieces of a few pages, however large the row group")
  func pieces() throws {
    var generator = SeededGenerator(seed: 8)
    let rowCount = 1_000_000
    let noise = (0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &generator) }
    let file = TestFile(
      columns: [
        ColumnData(
          ParquetSchema.Column(name: "noise", kind: .int64, isNullable: false),
          rowCount: rowCount, .int64(Memory(noise)))
      ],
      rowGroups: [rowCount])
    let (bytes, pieces, _) = try file.written()
    #expect(bytes.count > 8_000_000)
    #expect(pieces.allSatisfy { $0 < 2_000_000 })
  }
}
