/// What the simulator refuses, and why.
///
/// Each error is a mistake in what the caller asked for: a flag, a file, a saved state, a lake. Bad
/// data that the simulator makes on purpose is not an error.
public struct SimulatorError: Error, Hashable, Sendable {
  /// What kind of mistake it is; it tells the caller what to mend.
  public enum Code: String, Hashable, Sendable {
    /// The fault list names an unknown fault or a rate that is none: mend `--faults`.
    case invalidFaults = "invalid_faults"
    /// The product catalogue cannot be read: mend the file.
    case invalidCatalogue = "invalid_catalogue"
    /// A count or a time is impossible: mend the flag that it came from.
    case invalidRequest = "invalid_request"
    /// A saved state belongs to another world or program: start without it.
    case incompatibleState = "incompatible_state"
    /// The lake has another object of this key: use another seed or lake.
    case objectExists = "object_exists"
    /// The answer key cannot be written: mend its path.
    case answerKey = "answer_key"
  }

  /// The stable code.
  public let code: Code

  /// One sentence for the person at the terminal: what is wrong and how to mend it.
  public let message: String

  /// The 1-based line of the text that was read, when the mistake stands in one.
  public let line: Int?

  /// Makes an error from its code, its sentence and, if it has one, its line.
  public init(_ code: Code, _ message: String, line: Int? = nil) {
    self.code = code
    self.message = message
    self.line = line
  }
}

extension SimulatorError: CustomStringConvertible {
  /// The sentence, led by the line when there is one.
  public var description: String {
    guard let line else { return message }
    return "line \(line): \(message)"
  }
}
