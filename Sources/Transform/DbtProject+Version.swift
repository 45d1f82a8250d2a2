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

  /// Throws `TransformError.missing`, with the mend, if dbt's adapter for a kind of warehouse is not
  /// installed.
  func requireAdapter(of kind: String) async throws {
    let code = """
      import importlib.util, sys
      sys.exit(importlib.util.find_spec("dbt.adapters." + sys.argv[1]) is None)
      """
    let result = try await Subprocess.run(
      .path(FilePath(python)), arguments: ["-c", code, kind], output: .discarded, error: .discarded)
    guard result.terminationStatus.isSuccess else {
      throw TransformError(
        .missing,
        "dbt-\(kind) is not installed: install it beside dbt, '.deps/uv/bin/uv pip install --python \(python) dbt-\(kind)==1.12.3'"
      )
    }
  }
}
