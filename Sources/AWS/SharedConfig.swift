import Foundation

/// What the files of the AWS command line say: `~/.aws/config` and `~/.aws/credentials`.
///
/// Source: *Shared config and credentials files*, in the AWS SDKs reference guide.
struct SharedConfig: Sendable {
  /// The settings of a section, with those of a nested one under `outer.inner`.
  typealias Section = [String: String]

  let profile: String
  /// Whether somebody asked for this profile by name.
  let isNamed: Bool
  private let config: [String: Section]
  private let credentials: [String: Section]
  private let path: String

  init(environment: [String: String]) throws {
    let home = environment["HOME"] ?? NSHomeDirectory()
    func file(_ variable: String, _ name: String) -> String {
      let path = environment[variable] ?? "\(home)/.aws/\(name)"
      return path.hasPrefix("~/") ? home + path.dropFirst() : path
    }
    let named = environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"]
    profile = named ?? "default"
    path = file("AWS_CONFIG_FILE", "config")
    config = try Self.read(path)
    credentials = try Self.read(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    isNamed = named != nil
    if isNamed, config[sectionName(profile)] == nil, credentials[profile] == nil {
      throw AWSError(
        .configuration,
        "there is no profile '\(profile)' in \(path): make it with 'aws configure --profile \(profile)', or correct AWS_PROFILE"
      )
    }
  }

  /// The settings of a profile: those for credentials first.
  func settings(_ profile: String? = nil) -> Section {
    let profile = profile ?? self.profile
    return (credentials[profile] ?? [:])
      .merging(config[sectionName(profile)] ?? [:]) { first, _ in first }
  }

  func has(_ profile: String) -> Bool {
    credentials[profile] != nil || config[sectionName(profile)] != nil
  }

  /// The settings of the section `[services x]` that the profile names.
  var services: Section {
    settings()["services"].flatMap { config["services \($0)"] } ?? [:]
  }

  private func sectionName(_ profile: String) -> String {
    config["profile \(profile)"] != nil || profile != "default" ? "profile \(profile)" : "default"
  }

  private static func read(_ path: String) throws -> [String: Section] {
    guard let bytes = FileManager.default.contents(atPath: path) else { return [:] }
    return try parse(String(decoding: bytes, as: UTF8.self), path: path)
  }

  /// Sections by their names, with one blank between the words of each.
  static func parse(_ text: String, path: String) throws -> [String: Section] {
    var sections: [String: Section] = [:]
    var section: String?
    var outer: String?
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let isNested = line.first.map { $0 == " " || $0 == "\t" } ?? false
      let content = line.trimmingCharacters(in: .whitespaces)
      if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
      if !isNested, content.hasPrefix("["), let end = content.firstIndex(of: "]") {
        section = content[content.index(after: content.startIndex)..<end]
          .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        sections[section!, default: [:]] = sections[section!] ?? [:]
        outer = nil
        continue
      }
      guard let section, let equals = content.firstIndex(of: "=") else {
        throw AWSError(
          .configuration, "\(path), line \(number + 1), is neither a [section] nor a setting")
      }
      let name = content[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
      var value = content[content.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      if let comment = value.range(of: #"\s[#;]"#, options: .regularExpression) {
        value = value[..<comment.lowerBound].trimmingCharacters(in: .whitespaces)
      }
      if isNested, let outer {
        sections[section]!["\(outer).\(name)"] = value
      } else {
        sections[section]![name] = value
        outer = value.isEmpty ? name : nil
      }
    }
    return sections
  }
}
