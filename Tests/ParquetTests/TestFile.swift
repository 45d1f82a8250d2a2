import Foundation
import Parquet

/// A Parquet file to be written, and what its readers should find.
struct TestFile {
  var columns: [ColumnData]
  /// Rows a row group.
  var rowGroups: [Int]
  var options = ParquetOptions(createdBy: "medallion version 0.1.0 (build test)")

  var schema: ParquetSchema { ParquetSchema(columns: columns.map(\.column)) }

  /// The file's bytes, and the lengths of the pieces in which the sink got them.
  func written() throws -> (bytes: Data, pieces: [Int], summary: ParquetFileSummary) {
    var bytes = Data()
    var pieces: [Int] = []
    let writer = try ParquetFileWriter(schema: schema, options: options) {
      bytes.append(contentsOf: $0)
      pieces.append($0.count)
    }
    var row = 0
    for rowCount in rowGroups {
      try writer.writeRowGroup(columns.map { $0.view(row..<row + rowCount) }, rowCount: rowCount)
      row += rowCount
    }
    let summary = try withExtendedLifetime(columns) { try writer.finish() }
    return (bytes, pieces, summary)
  }

  /// Writes `<name>.parquet` and beside it what `read_back.py` needs to compare.
  @discardableResult
  func write(to directory: URL, name: String) throws -> ParquetFileSummary {
    let (bytes, _, summary) = try written()
    try bytes.write(to: directory.appending(path: "\(name).parquet"))
    var descriptions: [[String: Any]] = []
    for (ordinal, data) in columns.enumerated() {
      var description: [String: Any] = [
        "name": data.column.name, "kind": data.column.kind.rawValue,
        "nullable": data.column.isNullable, "delta": data.column.encoding == .delta,
      ]
      for (part, content) in data.expectedFiles() {
        let file = "\(name).\(ordinal).\(part)"
        try content.write(to: directory.appending(path: file))
        description[part] = file
      }
      descriptions.append(description)
    }
    let description: [String: Any] = [
      "columns": descriptions, "row_groups": rowGroups.filter { $0 > 0 },
      "created_by": options.createdBy, "bound_bytes": options.boundBytes,
    ]
    try JSONSerialization.data(withJSONObject: description)
      .write(to: directory.appending(path: "\(name).json"))
    return summary
  }
}

/// A directory that lives as long as a test needs it.
func withTemporaryDirectory<R>(_ body: (URL) throws -> R) throws -> R {
  let directory = FileManager.default.temporaryDirectory
    .appending(path: "parquet-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  return try body(directory)
}
