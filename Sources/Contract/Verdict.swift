/// What becomes of a line.
public enum Verdict: Equatable, Sendable {
  /// A row of bronze.
  case accepted
  /// Nothing, or nothing but blanks and tabs: counted, nothing more.
  case blank
  /// Kept as it is, with the reason.
  case quarantined(QuarantineReason)
}
