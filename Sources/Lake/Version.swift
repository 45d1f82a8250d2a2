/// The version of this program.
public enum Version {
  public static let number = "0.1.0"

  /// As commits name their writer.
  public static let engine = "medallion \(number)"

  /// As Parquet files name their writer, in the form that readers parse.
  public static let createdBy = "medallion version \(number) (build swift)"
}
