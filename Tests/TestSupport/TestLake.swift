public import Bronze
import Contract
import Foundation
public import Lake
public import Ledger
public import Logging
public import ObjectStore
public import Snowpipe
public import Warehouse

/// A lake of its own for one test, with the stages that work on it.
public struct TestLake: Sendable {
  public let directory: TemporaryDirectory
  public let store: DirectoryStore
  public let lake: Lake
  public let ledger: Ledger
  public let warehouse: Warehouse
  public var contract: ContractFile

  /// The root of the project.
  public static let project = Repository.root.path

  /// - Parameters:
  ///   - directory: where the lake is; a new place if nil.
  ///   - state: where the ledger and the warehouse are; beside the lake if nil.
  public init(
    in directory: TemporaryDirectory? = nil, state: String? = nil, settleTime: Duration = .zero
  ) async throws {
    let directory = try directory ?? TemporaryDirectory()
    self.directory = directory
    store = try DirectoryStore(root: directory.file("lake"), settleTime: settleTime)
    lake = try await Lake.open(in: store, creating: true)
    let state = state ?? store.root
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    ledger = try Ledger(path: "\(state)/ledger.sqlite", lake: lake.identity)
    warehouse = Warehouse(state: state, lake: lake.identity)
    contract = try ContractFile(path: "\(Self.project)/contract/purchase_event.schema.json")
  }

  public var logger: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  public var bronze: BronzeStage {
    // However slow the machine is, a batch is one.
    BronzeStage(
      lake: lake, ledger: ledger, contract: contract, logger: logger,
      longestBatch: .seconds(3600))
  }

  public var pipe: PipeStage {
    PipeStage(lake: lake, ledger: ledger, warehouse: warehouse, contract: contract, logger: logger)
  }

  public func consume() async throws { try await BronzeFollower(stage: bronze).runOnce() }

  public func put(_ text: String, at key: String) async throws {
    _ = try await store.put(Array(text.utf8), at: ObjectKey(trusted: key))
  }

  /// Changes the contract's text, as a person would edit its file.
  public mutating func editContract(_ edit: (inout [String: Any]) -> Void) throws {
    let data = try Data(
      contentsOf: URL(filePath: "\(Self.project)/contract/purchase_event.schema.json"))
    var schema = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    edit(&schema)
    let path = directory.file("contract.json")
    try JSONSerialization.data(withJSONObject: schema).write(to: URL(filePath: path))
    contract = try ContractFile(path: path)
  }

  /// A line as the simulator writes it.
  public static func line(
    id: String, ts: String = "2026-11-20T13:45:10.123456+00:00", extra: String = ""
  ) -> String {
    #"{"event_id": "\#(id)", "ts": "\#(ts)", "store_id": "S004", "customer_id": "C000042", "#
      + #""product_id": "P102", "category": "home", "price": 49.99, "quantity": 3, "#
      + #""total_amount": 149.97\#(extra)}"#
  }
}
