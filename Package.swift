// swift-tools-version: 6.2
import PackageDescription

// One list of settings for every target.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

extension Target {
  static func module(_ name: String, _ dependencies: [Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
  }
  static func tests(
    _ name: String, _ dependencies: [Dependency], exclude: [String] = []
  ) -> Target {
    .testTarget(
      name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
  }
}

let asyncHTTPClient = Target.Dependency.product(
  name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let unixSignals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// The path of the data, from the models at the bottom to the command at the top: a target may
// depend only on what stands above it in this list, and stages never on each other.
let package = Package(
  name: "retail-streaming-medallion",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "medallion", targets: ["medallion"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
  ],
  targets: [
    // C libraries of the system, each behind one module map.
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
    .systemLibrary(
      name: "CXXHash", pkgConfig: "libxxhash",
      providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
    .systemLibrary(name: "CDuckDB", pkgConfig: "duckdb"),
    // Instructions that Swift has no name for.
    .target(name: "CChecksum"),

    // Models and formats: no I/O, no retail in Parquet, no Parquet in Contract.
    .module("Contract"),
    .module("Parquet", ["CZstd"]),
    .module("CrashPoint"),
    .module("Flow", [lifecycle, logging]),
    .module("DuckDB", ["CDuckDB", "Flow"]),
    .module("KeyPair", [crypto, cryptoExtras]),

    // Ports and the records behind them.
    .module("ObjectStore", ["Flow"]),
    .module(
      "AWS",
      [
        "ObjectStore", "Flow", "CChecksum", crypto, asyncHTTPClient, nioCore, nioHTTP, nioSSL,
        logging,
      ]),
    .module("Lake", ["ObjectStore", "Contract", "CrashPoint", crypto]),
    .module("Ledger", ["Lake", "ObjectStore", "Flow", "CrashPoint", grdb, logging]),
    .module(
      "Warehouse",
      ["DuckDB", "Contract", "Lake", "Ledger", "ObjectStore", "Flow", "CrashPoint", lifecycle]),
    .module("SnowpipeREST", ["KeyPair", asyncHTTPClient, logging, nioCore, nioHTTP]),
    .module("Server", [hummingbird, hummingbirdCore, nioHTTPTypes, lifecycle, logging, nioCore]),

    // Stages.
    .module("Simulator", ["Lake", "ObjectStore", "Flow", "CrashPoint", lifecycle, logging]),
    .module(
      "Bronze",
      [
        "Contract", "Parquet", "ObjectStore", "Lake", "Ledger", "Flow", "CrashPoint", "CISAL",
        "CXXHash", crypto, lifecycle, logging,
      ]),
    .module(
      "Snowpipe",
      [
        "SnowpipeREST", "KeyPair", "Warehouse", "DuckDB", "Contract", "Lake", "Ledger",
        "ObjectStore", "Flow", "CrashPoint", asyncHTTPClient, crypto, httpTypes, hummingbird,
        lifecycle,
        logging, nioCore, nioHTTP, yams,
      ]),
    .module(
      "Transform",
      [
        "Warehouse", "DuckDB", "Lake", "Ledger", "ObjectStore", "Flow", "CrashPoint", subprocess,
        systemPackage, lifecycle, logging,
      ]),

    // What people look at.
    .target(
      name: "Dashboard",
      dependencies: [
        "Server", "SnowpipeREST", "Warehouse", "DuckDB", "Ledger", "Lake", "ObjectStore",
        "Contract", "Flow", crypto, httpTypes, hummingbird, lifecycle, logging, mustache, nioCore,
      ],
      resources: [.embedInCode("Page/Resources")], swiftSettings: settings),

    // The whole, and the command.
    .module(
      "Pipeline",
      [
        "Simulator", "Bronze", "Snowpipe", "Transform", "Dashboard", "Server", "SnowpipeREST",
        "KeyPair", "AWS",
        "Warehouse", "Ledger", "Lake", "DuckDB", "ObjectStore", "Contract", "Flow", "CrashPoint",
        hummingbird, subprocess, systemPackage, lifecycle, logging,
      ]),
    .executableTarget(
      name: "medallion",
      dependencies: [
        "Pipeline", "Dashboard", "Simulator", "Bronze", "Snowpipe", "SnowpipeREST", "KeyPair",
        "Server",
        "Transform", "Contract", "Lake", "Ledger", "Warehouse", "AWS", "Flow", "ObjectStore",
        argumentParser, lifecycle, unixSignals, logging, yams,
      ],
      swiftSettings: settings),

    // Tests of the parts; those of the whole command are in Tests/e2e and Tests/dbt, in Python.
    .target(
      name: "TestSupport",
      dependencies: [
        "Bronze", "Snowpipe", "Warehouse", "Ledger", "Lake", "ObjectStore", "Contract", "DuckDB",
        "CZlib", crypto, logging,
      ],
      path: "Tests/TestSupport", swiftSettings: settings),
    .tests("ContractTests", ["Contract", "TestSupport"]),
    .tests("ParquetTests", ["Parquet", "CZstd", "TestSupport"], exclude: ["read_back.py"]),
    .tests("FlowTests", ["Flow", logging]),
    .tests("ObjectStoreTests", ["ObjectStore", "AWS", "TestSupport"]),
    .testTarget(
      name: "AWSTests", dependencies: ["AWS", "ObjectStore", "TestSupport", nioHTTP],
      exclude: ["make_signatures.py"], resources: [.copy("signatures.json")],
      swiftSettings: settings),
    .tests(
      "LakeTests", ["Lake", "Ledger", "ObjectStore", "TestSupport", grdb, logging],
      exclude: ["Fixtures"]),
    .tests("SimulatorTests", ["Simulator"], exclude: ["Golden"]),
    .tests(
      "BronzeTests",
      ["Bronze", "Contract", "DuckDB", "Lake", "Ledger", "ObjectStore", "TestSupport", "CZlib"]),
    .tests("WarehouseTests", ["Warehouse", "DuckDB", "Lake", "ObjectStore", "TestSupport"]),
    .tests(
      "TransformTests", ["Transform", "Warehouse", "Ledger", "Lake", "Flow", "TestSupport"]),
    .tests(
      "DashboardTests",
      [
        "Dashboard", "Snowpipe", "Warehouse", "DuckDB", "Ledger", "ObjectStore", "Flow",
        "TestSupport",
        hummingbird, httpTypes, nioCore,
      ]),
    .tests("KeyPairTests", ["KeyPair", "TestSupport", cryptoExtras, subprocess]),
    .tests(
      "SnowpipeTests",
      [
        "Snowpipe", "SnowpipeREST", "KeyPair", "Server", "Warehouse", "Bronze", "Contract",
        "DuckDB", "Lake", "Ledger", "ObjectStore",
        "Flow", "TestSupport", asyncHTTPClient, hummingbird, logging, nioCore, nioHTTP,
      ]),
  ],
  swiftLanguageModes: [.v6]
)
