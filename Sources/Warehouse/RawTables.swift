public import Contract
public import DuckDB

/// The tables of the schema `raw` that the pipe fills, all made if they are not there: staging, the
/// quarantined lines, the dimensions, and what became of each file.
public struct RawTables {
  public let staging: StagingTable
  public let quarantine: QuarantineTable
  public let dimensions: DimensionTables
  public let copyHistory: CopyHistory

  public init(_ connection: DuckDBConnection, contract: EventContract) throws {
    staging = try StagingTable(connection, contract: contract)
    quarantine = try QuarantineTable(connection)
    dimensions = try DimensionTables(connection)
    copyHistory = try CopyHistory(connection)
  }
}
