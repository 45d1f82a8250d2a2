import DuckDB
import Foundation
import Lake
import Ledger
import ObjectStore
import Snowpipe
import TestSupport
import Testing
import Warehouse

@Suite struct DimensionLoadTests {
  private static let products = """
    product_id,name,category,price,valid_from
    P1,"Lamp, ""tall"", old",home,12.50,2026-01-01T00:00:00Z
    P1,Lamp,home,13,2026-02-01T01:00:00+01:00
    P2,,,,2026-01-01

    """
  private static let stores = """
    store_id,name,region,timezone,opens,closes,opened_on
    S1,Berlin Mitte,europe,Europe/Berlin,09:30,24:00,2019-02-16

    """
  private static let identities = "alias,customer_id,channel\nWEB-1,C1,web\n"

  private func put(_ test: TestLake, _ name: String, _ text: String) async throws {
    try await put(test, name, Array(text.utf8))
  }

  private func put(_ test: TestLake, _ name: String, _ bytes: [UInt8]) async throws {
    try await test.store.replace(bytes, at: ObjectKey(trusted: "dimensions/\(name).csv"))
  }

  private func query(_ test: TestLake, _ sql: String) async throws -> [[DuckDBValue]] {
    try await test.warehouse.withConnection { try $0.query(sql) }
  }

  private func productIDs(_ test: TestLake) async throws -> [[DuckDBValue]] {
    try await query(test, "SELECT product_id FROM retail.raw.raw_products ORDER BY ALL")
  }

  @Test func `the tables are there, empty, where there are no files`() async throws {
    let test = try await TestLake()
    try await test.pipe.runOnce()
    for table in ["raw_products", "raw_stores", "raw_customer_identities"] {
      #expect(try await query(test, "SELECT count(*) FROM retail.raw.\(table)") == [[0]])
    }
    #expect(
      try await query(
        test,
        """
        SELECT table_name || '.' || column_name || ' ' || data_type
        FROM information_schema.columns WHERE table_catalog = 'retail'
          AND table_name IN ('raw_products', 'raw_stores', 'raw_customer_identities',
            'raw_quarantine_staging')
        ORDER BY table_name, ordinal_position
        """
      ).map { $0[0].text } == [
        "raw_customer_identities.alias VARCHAR", "raw_customer_identities.customer_id VARCHAR",
        "raw_customer_identities.channel VARCHAR",
        "raw_products.product_id VARCHAR", "raw_products.name VARCHAR",
        "raw_products.category VARCHAR", "raw_products.price DECIMAL(18,2)",
        "raw_products.valid_from TIMESTAMP",
        "raw_quarantine_staging.reason VARCHAR", "raw_quarantine_staging.source_object VARCHAR",
        "raw_quarantine_staging.line BIGINT", "raw_quarantine_staging.byte_offset BIGINT",
        "raw_quarantine_staging.byte_length BIGINT", "raw_quarantine_staging.raw VARCHAR",
        "raw_quarantine_staging.raw_base64 VARCHAR", "raw_quarantine_staging.dt DATE",
        "raw_quarantine_staging._quarantine_file VARCHAR",
        "raw_stores.store_id VARCHAR", "raw_stores.name VARCHAR", "raw_stores.region VARCHAR",
        "raw_stores.timezone VARCHAR", "raw_stores.opens VARCHAR", "raw_stores.closes VARCHAR",
        "raw_stores.opened_on DATE",
      ])
  }

  @Test func `the files are loaded, typed, their instants in UTC`() async throws {
    let test = try await TestLake()
    try await put(test, "products", Self.products)
    try await put(test, "stores", Self.stores)
    try await put(test, "customer_identities", Self.identities)
    try await test.pipe.runOnce()
    #expect(
      try await query(
        test,
        """
        SELECT product_id, name, category, CAST(price AS VARCHAR), CAST(valid_from AS VARCHAR)
        FROM retail.raw.raw_products ORDER BY 1, valid_from
        """)
        == [
          ["P1", "Lamp, \"tall\", old", "home", "12.50", "2026-01-01 00:00:00"],
          ["P1", "Lamp", "home", "13.00", "2026-02-01 00:00:00"],
          ["P2", .null, .null, .null, "2026-01-01 00:00:00"],
        ])
    #expect(
      try await query(
        test,
        """
        SELECT store_id, name, region, timezone, opens, closes, CAST(opened_on AS VARCHAR)
        FROM retail.raw.raw_stores
        """)
        == [["S1", "Berlin Mitte", "europe", "Europe/Berlin", "09:30", "24:00", "2019-02-16"]])
    #expect(
      try await query(
        test, "SELECT alias, customer_id, channel FROM retail.raw.raw_customer_identities")
        == [["WEB-1", "C1", "web"]])
    #expect(
      try await query(
        test, "SELECT name, row_count, sha256 FROM \(DimensionTables.history) ORDER BY 1")
        == [
          ["customer_identities", 1, .text(sha256(Array(Self.identities.utf8)))],
          ["products", 3, .text(sha256(Array(Self.products.utf8)))],
          ["stores", 1, .text(sha256(Array(Self.stores.utf8)))],
        ])
    // Nothing of the copies that DuckDB read is left.
    let left = try FileManager.default.contentsOfDirectory(atPath: test.store.root)
    #expect(left.filter { $0.hasSuffix(".csv") }.isEmpty)
  }

  @Test
  func `a changed file takes the place of the one before, a file that is gone changes nothing`()
    async throws
  {
    let test = try await TestLake()
    try await put(test, "products", Self.products)
    try await test.pipe.runOnce()
    try await put(
      test, "products", "valid_from,price,category,name,more,product_id\n2026-01-01,1,c,n,x,P9\n")
    try await test.pipe.runOnce()
    #expect(try await productIDs(test) == [["P9"]])
    try await test.store.delete(LakeLayout.products)
    try await test.pipe.runOnce()
    #expect(try await productIDs(test) == [["P9"]])
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test func `the same content is not loaded again`() async throws {
    let test = try await TestLake()
    try await put(test, "products", Self.products)
    try await test.pipe.runOnce()
    let history = "SELECT CAST(loaded_at AS VARCHAR) FROM \(DimensionTables.history)"
    let before = try await query(test, history)
    try await put(test, "products", Self.products)
    try await test.pipe.runOnce()
    #expect(try await query(test, history) == before)
  }

  @Test func `a running pipe takes in a file that changes`() async throws {
    let test = try await TestLake()
    try await put(test, "products", Self.products)
    // One pipe, as in a run: it remembers what it has seen.
    let pipe = test.pipe
    try await pipe.runOnce()
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    try await put(
      test, "products", "product_id,name,category,price,valid_from\nP7,n,c,1,2026-01-01\n")
    #expect(try await pipe.loadSome() == false)
    #expect(try await productIDs(test) == [["P7"]])
    #expect(try await pipe.loadSome() == true)
  }

  @Test(arguments: [
    ("", "has no header in UTF-8"),
    ("\n", "has no header in UTF-8"),
    ("product_id,name,category,price\n", "its header has no column valid_from"),
    ("{\"a\": 1}\n", "its header has no column product_id"),
    ("product_id,name,category,price,valid_from,NAME\n", "its header names a column twice"),
    (products + "P3,x,y,1\n", "line 5 is not CSV in UTF-8 like its header"),
    (products + "P3,x,y,1,2026-01-01,z\n", "line 5 is not CSV in UTF-8 like its header"),
    (products + "P3,\"x,y,1,2026-01-01\n", "line 5 is not CSV in UTF-8 like its header"),
    (products + "P3,No space left on device,y\n", "line 5 is not CSV in UTF-8 like its header"),
    (products + "P3,x,y,dear,2026-01-01\n", "in row 4 below its header price is not an amount"),
    (products + "P3,x,y,nan,2026-01-01\n", "in row 4 below its header price is not an amount"),
    (
      products + "P3,x,y,99999999999999999.00,2026-01-01\n",
      "in row 4 below its header price is not an amount"
    ),
    (
      products + "P3,x,y,1,2026-02-30\n",
      "in row 4 below its header valid_from is not an instant such as 2026-01-31T00:00:00Z"
    ),
    (
      products + "P3,x,y,1,infinity\n",
      "in row 4 below its header valid_from is not an instant such as 2026-01-31T00:00:00Z"
    ),
    (
      products + "P3,x,y,1,\n",
      "in row 4 below its header valid_from is not an instant such as 2026-01-31T00:00:00Z"
    ),
    (products + ",x,y,1,2026-01-01\n", "in row 4 below its header product_id is not a text"),
  ])
  func `a file that cannot be read leaves the table as it was, and is told of until it is mended`(
    _ text: String, _ reason: String
  ) async throws {
    let test = try await TestLake()
    try await put(test, "products", Self.products)
    try await test.pipe.runOnce()
    try await put(test, "products", text)
    try await test.put(TestLake.line(id: "a"), at: "raw/a.json")
    try await test.consume()
    try await test.pipe.runOnce()
    #expect(try await productIDs(test) == [["P1"], ["P1"], ["P2"]])
    #expect(
      try test.ledger.troubles().parked.map { [$0.key, $0.stage, $0.reason] }
        == [
          [
            "dimensions/products.csv", "dimension",
            "\(reason); retail.raw.raw_products stays as it was",
          ]
        ])
    // The rest goes on.
    #expect(try await query(test, "SELECT event_id FROM \(StagingTable.name)") == [["a"]])
    // Also if the mend is what the table holds already.
    try await put(test, "products", Self.products)
    try await test.pipe.runOnce()
    #expect(try test.ledger.troubles().parked.isEmpty)
  }

  @Test(arguments: [
    ("timezone", "S2,n,r,Mars/Olympus,09:00,20:00,2020-01-01", "a time zone such as Europe/Berlin"),
    ("opens", "S2,n,r,Europe/Berlin,9:00,20:00,2020-01-01", "a time of day such as 09:30"),
    ("closes", "S2,n,r,Europe/Berlin,09:00,25:00,2020-01-01", "a time of day such as 09:30"),
    ("opened_on", "S2,n,r,Europe/Berlin,09:00,20:00,yesterday", "a date such as 2026-01-31"),
  ])
  func `a store that is not like one is refused`(
    _ column: String, _ row: String, _ form: String
  ) async throws {
    let test = try await TestLake()
    try await put(test, "stores", Self.stores + row + "\n")
    try await test.pipe.runOnce()
    #expect(
      try test.ledger.troubles().parked.map(\.reason)
        == [
          "in row 2 below its header \(column) is not \(form); retail.raw.raw_stores stays as it was"
        ])
    #expect(try await query(test, "SELECT count(*) FROM retail.raw.raw_stores") == [[0]])
  }

  @Test func `bytes that are no UTF-8, and a file that is too large, are refused`() async throws {
    let test = try await TestLake()
    try await put(
      test, "customer_identities", Array(Self.identities.utf8) + [0x41, 0xFF, 0x2C, 0x0A])
    let large = try await test.store.localFile(LakeLayout.products, .whole).path
    #expect(FileManager.default.createFile(atPath: large, contents: nil))
    let file = try #require(FileHandle(forWritingAtPath: large))
    try file.truncate(atOffset: 64 << 20 + 1)
    try await test.pipe.runOnce()
    #expect(
      try test.ledger.troubles().parked.map(\.reason)
        == [
          "line 3 is not CSV in UTF-8 like its header; retail.raw.raw_customer_identities stays as it was",
          "is larger than 64 MiB; retail.raw.raw_products stays as it was",
        ])
  }

  @Test func `a file that vanishes is no longer told of`() async throws {
    let test = try await TestLake()
    try await put(test, "products", "nonsense\n")
    let pipe = test.pipe
    try await pipe.runOnce()
    #expect(try test.ledger.troubles().parked.count == 1)
    try await test.store.delete(LakeLayout.products)
    _ = try await pipe.loadSome()
    #expect(try test.ledger.troubles().parked.isEmpty)
  }
}
