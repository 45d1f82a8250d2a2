import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

extension DbtProject {
  /// What `dbt --version` would say, in one line. Throws `TransformError.missing` if Python cannot
  /// load dbt.
  public static func version(python: String) async throws -> String {
    let code = """
      from importlib.metadata import version as v
      print("dbt-core", v("dbt-core") + ", dbt-duckdb", v("dbt-duckdb") + ", duckdb", v("duckdb"))
      """
    let result = try await Subprocess.run(
      .path(FilePath(python)), arguments: ["-c", code], output: .string(limit: 4096),
      error: .discarded)
    guard result.terminationStatus.isSuccess else {
      throw TransformError(.missing, "\(python) cannot load dbt: run 'make setup'")
    }
    return result.standardOutput.split(separator: "\n").first.map(String.init) ?? "dbt"
  }
}
