import Foundation
import Parquet
import Testing

@Suite("The footer", .enabled(if: ReadBack.isAvailable, "\(ReadBack.reason)"))
struct FileMetadataTests {
  private func metadata(_ file: TestFile) throws -> ReadBack.Metadata {
    try withTemporaryDirectory { directory in
      try file.write(to: directory, name: "file")
      return try ReadBack.metadata(directory.appending(path: "file.parquet"))
    }
  }

  private func column(
    _ name: String, _ kind: ParquetSchema.Column.Kind,
    encoding: ParquetSchema.Column.Encoding = .automatic,
    compression: ParquetSchema.Column.Compression = .automatic
  ) -> ParquetSchema.Column {
    ParquetSchema.Column(
      name: name, kind: kind, isNullable: true, encoding: encoding, compression: compression)
  }

  @Test("a file without rows names its writer, its columns and its pairs")
  func empty() throws {
    let kinds = ParquetSchema.Column.Kind.allCases
    var file = TestFile(
      columns: kinds.map {
        ColumnData(column($0.rawValue, $0), rowCount: 0, .strings(TextMemory([])))
      },
      rowGroups: [])
    file.options = ParquetOptions(
      createdBy: "medallion version 9.8.7 (build abc)",
      keyValueMetadata: [("medallion.contract", "sha256:é"), ("empty", "")])
    let seen = try metadata(file)
    #expect(seen.createdBy == "medallion version 9.8.7 (build abc)")
    #expect(seen.keyValueMetadata == ["medallion.contract": "sha256:é", "empty": ""])
    #expect(seen.rowCount == 0)
    #expect(seen.rowGroups.isEmpty)
    let types = [
      "string", "double", "int32", "int64", "timestamp[us, tz=UTC]", "bool", "date32[day]",
    ]
    #expect(seen.columns == types)
  }

  @Test("a row group without rows is not written")
  func emptyRowGroup() throws {
    let data = ColumnData(
      column("n", .int32), rowCount: 3, .int32(Memory([1, 2, 3])))
    let seen = try metadata(TestFile(columns: [data], rowGroups: [0, 3, 0]))
    #expect(seen.rowGroups.map(\.rowCount) == [3])
  }

  @Test("columns that repeat have a dictionary, columns that do not are PLAIN")
  func encodings() throws {
    let rowCount = 20_000
    let distinct = (0..<rowCount).map { Int64($0) &* 0x9E37_79B9_7F4A_7C1 }
    let file = TestFile(
      columns: [
        ColumnData(
          column("few", .string), rowCount: rowCount,
          .strings(TextMemory(distinct.map { "store \($0 % 9)" }))),
        ColumnData(
          column("distinct", .string), rowCount: rowCount,
          .strings(TextMemory(distinct.map { "id \($0)" }))),
        ColumnData(
          column("few, plain", .string, encoding: .plain), rowCount: rowCount,
          .strings(TextMemory(distinct.map { "store \($0 % 9)" }))),
        ColumnData(
          column("prices", .double), rowCount: rowCount,
          .double(Memory(distinct.map { Double($0 % 20) }))),
        ColumnData(column("numbers", .int64), rowCount: rowCount, .int64(Memory(distinct))),
        ColumnData(
          column("flags", .boolean), rowCount: rowCount,
          .boolean(Memory(distinct.map { UInt8($0 & 1) }))),
        ColumnData(
          column("coded", .int32), rowCount: rowCount,
          .codedInt32(indexes: Memory(distinct.map { UInt32($0 & 3) }), Memory([4, 5, 6, 7]))),
      ],
      rowGroups: [rowCount])
    let chunks = try metadata(file).rowGroups[0].columns
    let dictionaries = Set(chunks.filter(\.hasDictionary).map(\.name))
    #expect(dictionaries == ["few", "prices", "coded"])
    for chunk in chunks {
      let expected = chunk.hasDictionary ? ["PLAIN_DICTIONARY", "RLE"] : ["PLAIN", "RLE"]
      #expect(Set(chunk.encodings) == Set(expected), "\(chunk.name)")
    }
  }

  @Test("a dictionary that would pass its limit is given up for PLAIN")
  func dictionaryLimit() throws {
    let rowCount = 30_000
    let texts = (0..<rowCount).map { "customer \($0 % 3000)" }
    var file = TestFile(
      columns: [
        ColumnData(column("own", .string), rowCount: rowCount, .strings(TextMemory(texts))),
        ColumnData(
          column("coded", .string), rowCount: rowCount,
          .codedStrings(
            indexes: Memory((0..<rowCount).map { UInt32($0 % 3000) }),
            TextMemory(Array(texts.prefix(3000))))),
      ],
      rowGroups: [rowCount])
    #expect(try metadata(file).rowGroups[0].columns.allSatisfy { $0.hasDictionary })
    file.options.dictionaryBytes = 40_000
    #expect(try metadata(file).rowGroups[0].columns.allSatisfy { !$0.hasDictionary })
  }

  @Test("a chunk that compression does not shrink by a tenth is left as it is")
  func codecs() throws {
    var generator = SeededGenerator(seed: 3)
    let rowCount = 10_000
    let noise = (0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &generator) }
    let rising = (0..<rowCount).map { Int64($0) }
    func data(_ name: String, _ values: [Int64], _ compression: ParquetSchema.Column.Compression)
      -> ColumnData
    {
      ColumnData(
        column(name, .int64, compression: compression), rowCount: rowCount,
        .int64(Memory(values)))
    }
    let file = TestFile(
      columns: [
        data("noise", noise, .automatic), data("noise, asked for", noise, .zstd(level: 5)),
        data("rising", rising, .automatic), data("rising, asked for", rising, .zstd(level: 5)),
        data("rising, not", rising, .none),
      ],
      rowGroups: [rowCount])
    let codecs = try metadata(file).rowGroups[0].columns.map(\.codec)
    #expect(codecs == ["UNCOMPRESSED", "UNCOMPRESSED", "ZSTD", "ZSTD", "UNCOMPRESSED"])
  }

  @Test("near-random text is as small as at level 1, within a tenth")
  func sparseMatches() throws {
    var generator = SeededGenerator(seed: 4)
    let rowCount = 60_000
    let ids = (0..<rowCount).map { _ in
      let words = (generator.next(), generator.next())
      return "\(String(words.0, radix: 16))-\(String(words.1, radix: 16))"
    }
    let text = TextMemory(ids)
    let file = TestFile(
      columns: [
        ColumnData(column("automatic", .string), rowCount: rowCount, .strings(text)),
        ColumnData(
          column("level 1", .string, compression: .zstd(level: 1)), rowCount: rowCount,
          .strings(text)),
      ],
      rowGroups: [rowCount])
    let chunks = try metadata(file).rowGroups[0].columns
    #expect(chunks[0].uncompressedBytes == chunks[1].uncompressedBytes)
    #expect(chunks[0].compressedBytes != chunks[1].compressedBytes, "the setting is not in use")
    #expect(chunks[0].compressedBytes < chunks[1].compressedBytes * 11 / 10)
  }

  @Test("zero bounds of doubles have a minus below and a plus above")
  func zeroBounds() throws {
    func data(_ name: String, _ values: [Double]) -> ColumnData {
      ColumnData(column(name, .double), rowCount: values.count, .double(Memory(values)))
    }
    let file = TestFile(
      columns: [
        data("plus", [0, 0]), data("minus", [-0.0, -0.0]), data("above", [0, 1]),
        data("below", [-1, -0.0]), data("nan", [1, .nan]), data("nans", [.nan, .nan]),
      ], rowGroups: [2])
    let chunks = try metadata(file).rowGroups[0].columns
    #expect(chunks.map(\.min) == ["-0.0", "-0.0", "-0.0", "-1.0", nil, nil])
    #expect(chunks.map(\.max) == ["0.0", "0.0", "1.0", "0.0", nil, nil])
  }
}
