/// Which of Parquet's encodings bronze uses.
public enum BronzeEncodings: String, Sendable, CaseIterable {
  /// What a version 1 writer makes: PLAIN, dictionaries, RLE. Snowflake documents no other.
  case version1 = "v1"
  /// Differences for ids, instants and line numbers, too: smaller, for readers that know them, as
  /// DuckDB, Polars, pyarrow, ClickHouse and Spark do.
  case version2 = "v2"
}
