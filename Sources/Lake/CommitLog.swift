import Foundation
import ObjectStore

/// The commits of a lake, numbered from 1 without a gap.
///
/// A number is taken by whoever first puts an object under it, so several processes and hosts can
/// write one lake.
public struct CommitLog: Sendable {
  private let store: any ObjectStore

  init(store: any ObjectStore) { self.store = store }

  /// Stores `commit` under its number; false if that number is taken by another.
  public func append(_ commit: Commit) async throws -> Bool {
    let key = LakeLayout.commit(commit.number)
    switch try await store.put(Self.encode(commit), at: key) {
    case .created: return true
    case .exists:
      // Our own, if the answer to an earlier try was lost.
      return try await read(commit.number)?.batch == commit.batch
    }
  }

  /// The commit with this number; nil if there is none yet.
  public func read(_ number: Int) async throws -> Commit? {
    guard let bytes = try await content(LakeLayout.commit(number)) else { return nil }
    return try decode(bytes, number, LakeLayout.commit(number).text)
  }

  /// The commits that follow `number`, in order, at most a checkpoint's worth; none at the end.
  public func read(after number: Int) async throws -> [Commit] {
    let length = LakeLayout.checkpointLength
    if number % length == 0,
      let bytes = try await content(LakeLayout.checkpoint(number + length))
    {
      return try bytes.split(separator: UInt8(ascii: "\n")).enumerated().map {
        try decode(Array($1), number + $0 + 1, LakeLayout.checkpoint(number + length).text)
      }
    }
    var commits: [Commit] = []
    // Up to where the next checkpoint may begin.
    while commits.isEmpty || (number + commits.count) % length != 0,
      let next = try await read(number + commits.count + 1)
    {
      commits.append(next)
    }
    return commits
  }

  /// Throws `LakeError.corruptCommit` if there are commits beyond `newest`, which is taken for the
  /// last: one between them is lost, and its number must not be taken again.
  public func checkNothingFollows(_ newest: Int) async throws {
    var beyond = Int.max
    try await store.list(LakeLayout.commits) { object in
      if object.key.text.hasSuffix(".json"),
        let number = Int(object.key.name.dropLast(".json".count)), number > newest
      {
        beyond = min(beyond, number)
      }
      return true
    }
    // The next one may have been committed since.
    guard beyond != .max, beyond > newest + 1,
      // Two of them may have been, and a listing is no single moment.
      try await read(newest + 1) == nil
    else { return }
    throw LakeError(
      .corruptCommit,
      "\(store.location)/\(LakeLayout.commit(newest + 1)) is missing, but commit \(beyond) is there: restore it from a copy; nothing else tells what it committed"
    )
  }

  /// Sums up the commits of a full checkpoint's length, so that a new ledger reads one object in
  /// place of a thousand. Does nothing for other numbers.
  public func checkpoint(at number: Int) async throws {
    let length = LakeLayout.checkpointLength
    guard number > 0, number % length == 0 else { return }
    var lines: [UInt8] = []
    for each in (number - length + 1)...number {
      guard let commit = try await read(each) else { return }
      lines += try Self.encode(commit)
    }
    _ = try await store.put(lines, at: LakeLayout.checkpoint(number))
  }

  func identity() async throws -> LakeIdentity? {
    guard let bytes = try await content(LakeLayout.commit(0)) else { return nil }
    let name = "\(store.location)/\(LakeLayout.commit(0))"
    guard let format = try? JSONDecoder().decode(Format.self, from: Data(bytes)) else {
      throw LakeError(.corruptCommit, "\(name) is not what a lake's first commit must be")
    }
    try Self.check(format.format, name)
    guard let identity = try? JSONDecoder().decode(LakeIdentity.self, from: Data(bytes)) else {
      throw LakeError(.corruptCommit, "\(name) is not what a lake's first commit must be")
    }
    return identity
  }

  // MARK: -

  private struct Format: Decodable { let format: Int }

  private func content(_ key: ObjectKey) async throws -> [UInt8]? {
    do {
      return try await store.read(key)
    } catch let failure as ObjectStoreError where failure.code == .notFound {
      return nil
    }
  }

  private func decode(_ bytes: [UInt8], _ number: Int, _ name: String) throws -> Commit {
    do {
      // First the format: of one that is not known, nothing else can be counted on.
      try Self.check(JSONDecoder().decode(Format.self, from: Data(bytes)).format, name)
      let commit = try JSONDecoder().decode(Commit.self, from: Data(bytes))
      guard commit.number == number else {
        throw LakeError(
          .corruptCommit,
          "\(store.location)/\(name) says that it is commit \(commit.number), not \(number): restore it from a copy"
        )
      }
      return commit
    } catch let failure as LakeError {
      throw failure
    } catch {
      throw LakeError(
        .corruptCommit,
        "\(store.location)/\(name) cannot be read: restore it from a copy; nothing else tells what it committed"
      )
    }
  }

  private static func check(_ format: Int, _ name: String) throws {
    guard format <= LakeIdentity.currentFormat else {
      throw LakeError(
        .newerFormat,
        "\(name) is in format \(format), which this version of medallion does not know: use a newer one"
      )
    }
  }

  /// One line of JSON with sorted keys.
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try Array(encoder.encode(value)) + [UInt8(ascii: "\n")]
  }
}
