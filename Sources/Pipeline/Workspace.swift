public import Dashboard
import Foundation
public import Lake
public import Ledger
import Logging
import ObjectStore
public import Transform
public import Warehouse

/// A lake with everything that this host keeps for it.
public struct Workspace: Sendable {
  public let lake: Lake
  public let ledger: Ledger
  public let warehouse: Warehouse
  public let contract: ContractFile
  public let home: Home
  /// The directory of the ledger, the warehouse, the locks and the logs.
  public let state: String

  /// Opens a lake, and its ledger up to the newest commit.
  ///
  /// - Parameters:
  ///   - place: a directory, or `s3://bucket/prefix`.
  ///   - state: where this host's own files are; if nil, the place's own default.
  ///   - contract: the contract's file; the project's own if nil.
  ///   - creating: makes the lake if there is none; if nil, where there are raw objects for it.
  public static func open(
    _ place: String, state: String? = nil, contract: String? = nil, creating: Bool?
  ) async throws -> Workspace {
    let home = try Home.find()
    let contract = try ContractFile(path: contract ?? home.contract)
    let location = try StoreLocation(place)
    if case .directory(let path) = location, creating != true,
      !FileManager.default.fileExists(atPath: path)
    {
      throw LakeError(
        .noLake, "there is no lake at \(place): start one with 'medallion run --lake \(place)'")
    }
    let store = try location.open(state: state ?? location.defaultState)
    let lake = try await Lake.open(in: store) {
      if let creating { return creating }
      return try await location.exists(store)
    }
    // Where a person copies files to must be there before the first object is.
    if store is DirectoryStore { _ = try directory("\(store.location)/raw") }
    let state = try directory(state ?? location.defaultState)
    let ledger = try Ledger(path: "\(state)/ledger.sqlite", lake: lake.identity)
    try await ledger.checkAgainst(lake)
    try await ledger.catchUp(with: lake)
    return Workspace(
      lake: lake, ledger: ledger, warehouse: Warehouse(state: state, lake: lake.identity),
      contract: contract, home: home, state: state)
  }

  public func dbtProject() throws -> DbtProject {
    try DbtProject(python: home.python, directory: home.dbt, scratch: "\(state)/logs/dbt")
  }

  private static func directory(_ path: String) throws -> String {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw LakeError(
        .unsupportedPlace,
        "cannot write to \(path): it must be a directory that this user may write")
    }
    return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }
}

extension Status {
  /// Reads the workspace's ledger as it is.
  public init(_ workspace: Workspace) async throws {
    let ledger = try workspace.ledger.snapshot()
    try await self.init(
      lake: workspace.lake, ledger: ledger, waiting: ledger.rawWaiting(in: workspace.lake))
  }
}
