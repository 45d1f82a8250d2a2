import Foundation

/// Runs `read_back.py`, which reads files with pyarrow, DuckDB and, where it is installed, Polars.
///
/// The interpreter is `PARQUET_TEST_PYTHON`, else the project's `.venv`.
enum ReadBack {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// One case's answer.
  struct Verdict: Decodable {
    let `case`: String
    let readers: [String]
    let problems: [String]
  }

  /// A footer as pyarrow sees it.
  struct Metadata: Decodable {
    struct RowGroup: Decodable {
      let rowCount: Int
      let columns: [Chunk]
    }
    struct Chunk: Decodable {
      let name: String
      let encodings: [String]
      let codec: String
      let hasDictionary: Bool
      let compressedBytes: Int
      let uncompressedBytes: Int
      let min: String?
      let max: String?
    }
    let createdBy: String
    let rowCount: Int
    let columns: [String]
    let keyValueMetadata: [String: String]
    let rowGroups: [RowGroup]
  }

  /// Whether the readers are there; if not, the reason is printed by the skipped tests.
  static let isAvailable = (try? run(["-c", "import duckdb, pyarrow.parquet"])) != nil
  static let reason = "no Python with duckdb and pyarrow: \(interpreter)"

  static func check(_ directory: URL) throws -> [Verdict] {
    try lines(run([script, "check", directory.path]))
      .map { try JSONDecoder().decode(Verdict.self, from: $0) }
  }

  static func metadata(_ file: URL) throws -> Metadata {
    try JSONDecoder().decode(Metadata.self, from: run([script, "metadata", file.path]))
  }

  /// DuckDB's answers, each a list of rows of texts; `{file}` stands for the file.
  static func query(_ file: URL, _ queries: [String]) throws -> [[[String]]] {
    let input = Data(queries.joined(separator: "\n").utf8)
    return try lines(run([script, "query", file.path], input: input))
      .map { try JSONDecoder().decode([[String]].self, from: $0) }
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
  private static let script = folder.appending(path: "read_back.py").path
  private static let interpreter =
    ProcessInfo.processInfo.environment["PARQUET_TEST_PYTHON"]
    ?? folder.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".venv/bin/python").path

  private static func lines(_ output: Data) throws -> [Data] {
    output.split(separator: UInt8(ascii: "\n")).map { Data($0) }
  }

  private static func run(_ arguments: [String], input: Data = Data()) throws -> Data {
    guard FileManager.default.isExecutableFile(atPath: interpreter) else {
      throw Failure(description: "\(interpreter) is not there")
    }
    // Through files, so that no pipe fills up on either side.
    return try withTemporaryDirectory { directory in
      let files = ["in", "out", "err"].map { directory.appending(path: $0) }
      for (file, content) in zip(files, [input, Data(), Data()]) { try content.write(to: file) }
      let process = Process()
      process.executableURL = URL(filePath: interpreter)
      process.arguments = arguments
      process.standardInput = try FileHandle(forReadingFrom: files[0])
      process.standardOutput = try FileHandle(forWritingTo: files[1])
      process.standardError = try FileHandle(forWritingTo: files[2])
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        let errors = String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
        throw Failure(description: "\(arguments) failed: \(errors)")
      }
      return try Data(contentsOf: files[1])
    }
  }
}
