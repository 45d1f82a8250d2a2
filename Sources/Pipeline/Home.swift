public import Foundation
import Lake

/// Where the project's own files are: the contract, the dbt project, the Python environment.
public struct Home: Sendable {
  public let path: String

  public var contract: String { "\(path)/contract/purchase_event.schema.json" }
  public var products: String { "\(path)/contract/products.csv" }
  public var retailProducts: String { "\(path)/contract/retail_products.csv" }
  public var dbt: String { "\(path)/dbt" }
  /// Chart.js, which the set-up puts there.
  public var charts: String { "\(path)/.deps/web/chart.js" }
  public var python: String { "\(path)/.venv/bin/python" }

  public init(path: String) { self.path = path }

  /// Looks where `MEDALLION_HOME` says, above the program's own file, and above the current
  /// directory.
  public static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Home {
    if let path = environment["MEDALLION_HOME"] {
      guard isHome(path) else {
        throw LakeError(.noContract, "MEDALLION_HOME is \(path), where contract/ and dbt/ are not")
      }
      return Home(path: path)
    }
    let program = Bundle.main.executableURL?.resolvingSymlinksInPath().path
    for start in [program, FileManager.default.currentDirectoryPath].compactMap(\.self) {
      var directory = start
      while directory.count > 1 {
        if isHome(directory) { return Home(path: directory) }
        directory = (directory as NSString).deletingLastPathComponent
      }
    }
    throw LakeError(
      .noContract,
      "contract/ and dbt/ are not found: run from a clone of the project, or set MEDALLION_HOME")
  }

  private static func isHome(_ path: String) -> Bool {
    ["contract/purchase_event.schema.json", "dbt/dbt_project.yml"].allSatisfy {
      FileManager.default.fileExists(atPath: "\(path)/\($0)")
    }
  }
}
