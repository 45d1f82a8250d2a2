public import Foundation

/// The statements about a pipe for which Snowflake has no REST call but its SQL API.
public enum PipeStatement: Sendable, Equatable {
  case status
  case refresh(prefix: String?, modifiedAfter: Date?)
  case setPaused(Bool)

  public func sql(for pipe: PipeName) -> String {
    switch self {
    case .status: return "SELECT SYSTEM$PIPE_STATUS('\(Self.escaped(pipe.description))')"
    case .refresh(let prefix, let modifiedAfter):
      var sql = "ALTER PIPE \(pipe) REFRESH"
      if let prefix { sql += " PREFIX = '\(Self.escaped(prefix))'" }
      if let modifiedAfter { sql += " MODIFIED_AFTER = '\(Instants.text(modifiedAfter))'" }
      return sql
    case .setPaused(let isPaused):
      return "ALTER PIPE \(pipe) SET PIPE_EXECUTION_PAUSED = \(isPaused)"
    }
  }

  /// Reads what `sql(for:)` writes; nil for any other statement.
  public static func parse(_ sql: String) -> (pipe: String, statement: PipeStatement)? {
    let sql = sql.trimmingCharacters(in: CharacterSet(charactersIn: "; \n\r\t"))
    if let match = sql.wholeMatch(
      of: /(?i)SELECT\s+SYSTEM\$PIPE_STATUS\s*\(\s*'((?:[^'\\]|''|\\.)+)'\s*\)/)
    {
      return (unescaped(match.1), .status)
    }
    let paused = /(?i)ALTER\s+PIPE\s+(\S+)\s+SET\s+PIPE_EXECUTION_PAUSED\s*=\s*(TRUE|FALSE)/
    if let match = sql.wholeMatch(of: paused) {
      return (String(match.1), .setPaused(match.2.lowercased() == "true"))
    }
    let literal = /'(?:[^'\\]|''|\\.)*'/
    guard
      let match = sql.wholeMatch(
        of:
          /(?i)ALTER\s+PIPE\s+(\S+)\s+REFRESH((?:\s+(?:PREFIX|MODIFIED_AFTER)\s*=\s*'(?:[^'\\]|''|\\.)*')*)/
      )
    else { return nil }
    var prefix: String?
    var modifiedAfter: Date?
    for option in match.2.matches(of: /(?i)(PREFIX|MODIFIED_AFTER)\s*=\s*('(?:[^'\\]|''|\\.)*')/) {
      guard option.2.wholeMatch(of: literal) != nil else { return nil }
      let value = unescaped(option.2.dropFirst().dropLast())
      if option.1.uppercased() == "PREFIX" {
        prefix = value
      } else {
        guard let date = Instants.date(value) else { return nil }
        modifiedAfter = date
      }
    }
    return (String(match.1), .refresh(prefix: prefix, modifiedAfter: modifiedAfter))
  }

  // MARK: -

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "''")
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var rest = text
    while let character = rest.popFirst() {
      if character == "\\" || (character == "'" && rest.first == "'") {
        if let next = rest.popFirst() { result.append(next) }
      } else {
        result.append(character)
      }
    }
    return result
  }
}

/// What the SQL API answers: rows of text.
public struct StatementResult: Codable, Sendable {
  public struct Metadata: Codable, Sendable {
    public struct Column: Codable, Sendable {
      public let name: String
      public let type: String
    }

    public let numRows: Int
    public let format: String
    public let rowType: [Column]
  }

  public let resultSetMetaData: Metadata?
  public let data: [[String?]]?
  public let code: String?
  public let message: String?
  public let sqlState: String?
  public let statementHandle: String?

  /// - Parameter columns: the names of the columns, all of text.
  public init(columns: [String], rows: [[String?]]) {
    resultSetMetaData = Metadata(
      numRows: rows.count, format: "jsonv2",
      rowType: columns.map { Metadata.Column(name: $0, type: "text") })
    data = rows
    code = "090001"
    message = "Statement executed successfully."
    sqlState = "00000"
    statementHandle = UUID().uuidString.lowercased()
  }
}

/// What the SQL API takes.
public struct StatementRequest: Codable, Sendable {
  public let statement: String
  /// In seconds.
  public let timeout: Int?

  public init(statement: String, timeout: Int?) {
    self.statement = statement
    self.timeout = timeout
  }
}
