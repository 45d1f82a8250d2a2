import Contract
import Dashboard
import DuckDB
import Foundation
import Lake
import Transform

/// Looks at what the pipeline needs and says what is missing and how to mend it.
public struct Doctor {
  public struct Finding: Codable, Sendable {
    public let name: String
    public let ok: Bool
    /// What was found, or what to do.
    public let detail: String
  }

  public static let duckDBVersion = "v1.5.5"

  /// - Parameters:
  ///   - place: the lake to look at; it need not be there.
  ///   - state: where this host's files are.
  ///   - contract: the contract's file; the project's own if nil.
  public static func examine(
    _ place: String, state: String?, contract: String?
  ) async -> [Finding] {
    var findings: [Finding] = []
    func add(_ name: String, _ check: () async throws -> String) async {
      do {
        findings.append(Finding(name: name, ok: true, detail: try await check()))
      } catch {
        findings.append(Finding(name: name, ok: false, detail: String(describing: error)))
      }
    }
    struct Missing: Error, CustomStringConvertible {
      let description: String
    }

    await add("project files") { try Home.find().path }
    await add("DuckDB library") {
      let version = DuckDBConnection.libraryVersion
      guard version == duckDBVersion else {
        throw Missing(
          description: "\(version) is linked, dbt uses \(duckDBVersion): run 'make setup build'")
      }
      return version
    }
    await add("DuckDB runs") {
      let row = try DuckDBConnection(path: nil).query("SELECT 6 * 7")
      return row[0][0].int == 42 ? "a query answered" : "a query gave \(row)"
    }
    await add("contract") {
      let fields = try ContractFile(path: contract ?? Home.find().contract).contract.fields
      return "\(fields.count) fields"
    }
    await add("dbt") {
      let home = try Home.find()
      let scratch = NSTemporaryDirectory() + "medallion-doctor"
      _ = try DbtProject(python: home.python, directory: home.dbt, scratch: scratch)
      return try await DbtProject.version(python: home.python)
    }
    await add("charts") {
      let charts = try Home.find().charts
      guard FileManager.default.fileExists(atPath: charts) else {
        throw Missing(
          description: "Chart.js is not at \(charts): the dashboard shows tables alone until "
            + "'make setup' has put it there")
      }
      return charts
    }
    await add("disk") {
      let directory = existing(above: try state ?? StoreLocation(place).defaultState)
      let free = try FileManager.default.attributesOfFileSystem(forPath: directory)[.systemFreeSize]
      let gigabytes = Double((free as? NSNumber)?.int64Value ?? 0) / 1e9
      guard gigabytes > 1 else {
        throw Missing(description: "less than 1 GB is free at \(directory): free some space")
      }
      return "\(Int(gigabytes)) GB free at \(directory)"
    }
    await add("lake") {
      if case .directory(let path) = try StoreLocation(place),
        !FileManager.default.fileExists(atPath: path)
      {
        return "none at \(place) yet: 'medallion run' makes it"
      }
      let workspace = try await Workspace.open(
        place, state: state, contract: contract, creating: false)
      let status = try await Status(workspace)
      return "\(status.commits) commits, \(status.bronze.rows) bronze rows, \(status.parked) parked"
    }
    return findings
  }

  private static func existing(above path: String) -> String {
    var path = URL(fileURLWithPath: path).path
    while !FileManager.default.fileExists(atPath: path), path.count > 1 {
      path = (path as NSString).deletingLastPathComponent
    }
    return path
  }
}
