/// Where the models run, by the name that dbt's profile has for it.
public enum DbtTarget: String, Codable, Sendable, CaseIterable {
  /// The lake's own warehouse.
  case duckdb
  /// An account elsewhere.
  case snowflake
}

/// What the dbt worker is asked to do: one line of JSON.
public struct DbtRequest: Codable, Sendable {
  public enum Command: String, Codable, Sendable {
    case run, build, seed, test
    /// Counts the layers: the reply has `facts`.
    case verify
  }

  var id = 0
  public var command: Command
  public var select: [String]
  public var fullRefresh: Bool
  public var target: DbtTarget
  /// After this the worker ends itself.
  public var timeoutSeconds: Int

  enum CodingKeys: String, CodingKey {
    case id, command, select, target
    case fullRefresh = "full_refresh"
    case timeoutSeconds = "timeout_seconds"
  }

  public init(
    _ command: Command, select: [String] = [], fullRefresh: Bool = false,
    target: DbtTarget = .duckdb,
    timeoutSeconds: Int = 3600
  ) {
    self.command = command
    self.select = select
    self.fullRefresh = fullRefresh
    self.target = target
    self.timeoutSeconds = timeoutSeconds
  }
}

/// What the dbt worker answers: one line of JSON.
public struct DbtReply: Codable, Sendable {
  public struct Node: Codable, Sendable {
    public let name: String
    public let resourceType: String
    public let status: String
    public let message: String?
    public let seconds: Double?

    enum CodingKeys: String, CodingKey {
      case name, status, message, seconds
      case resourceType = "resource_type"
    }

    /// Whether this node stands in the way of success.
    public var isFailure: Bool { ["error", "fail", "runtime error"].contains(status) }
  }

  let id: Int
  public let ok: Bool
  /// What to do about a failure; nil if there is none. dbt/worker.py has the list.
  public let code: String?
  public let elapsedSeconds: Double
  public let nodes: [Node]
  public let error: String?
  /// What the layers hold; only in reply to `verify`.
  public let facts: LayerFacts?

  enum CodingKeys: String, CodingKey {
    case id, ok, code, nodes, error, facts
    case elapsedSeconds = "elapsed_seconds"
  }

  /// Nodes that ran, by their status.
  public var statuses: [String: Int] {
    Dictionary(nodes.map { ($0.status, 1) }, uniquingKeysWith: +)
  }

  /// One sentence on what failed; nil if nothing did.
  public var failure: String? {
    if ok { return nil }
    let failed = nodes.filter(\.isFailure).map { node in
      "\(node.resourceType) \(node.name): \(node.message ?? node.status)"
    }
    return failed.isEmpty ? error ?? "dbt failed without a word" : failed.joined(separator: "; ")
  }
}
