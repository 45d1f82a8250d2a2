extension String {
  /// This text as a SQL string literal.
  public var sqlLiteral: String { "'" + replacing("'", with: "''") + "'" }

  /// This text as a quoted SQL name.
  public var sqlName: String { "\"" + replacing("\"", with: "\"\"") + "\"" }
}
