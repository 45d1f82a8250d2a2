import Foundation
public import KeyPair
public import Logging
import Synchronization
import Yams

/// The account that the endpoint answers for, its users, and their public keys: a YAML file.
///
/// ```yaml
/// account: RETAIL
/// users:
///   LOADER:
///     rsa_public_key: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA…
///     rsa_public_key_2: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA…
/// ```
public struct UserDirectory: Sendable {
  public let account: String
  /// By user, in capitals.
  public private(set) var keys: [String: [PublicKey]]

  struct File: Codable {
    struct User: Codable {
      var key: String?
      var secondKey: String?

      enum CodingKeys: String, CodingKey {
        case key = "rsa_public_key"
        case secondKey = "rsa_public_key_2"
      }
    }

    var account: String
    var users: [String: User]
  }

  /// Throws `PipeError.badUsers`, which names the file and what to mend.
  public init(path: String) throws {
    guard let text = FileManager.default.contents(atPath: path) else {
      throw PipeError(
        .badUsers,
        "there is no file of users at \(path): 'medallion pipe keys --user NAME --account NAME --users \(path)' makes one"
      )
    }
    let file = try Self.decode(String(decoding: text, as: UTF8.self), path: path)
    account = Principal.accountName(file.account)
    var keys: [String: [PublicKey]] = [:]
    for (name, user) in file.users {
      let texts = [user.key, user.secondKey].compactMap(\.self)
      guard !texts.isEmpty else {
        throw PipeError(.badUsers, "\(path): user \(name) has no rsa_public_key")
      }
      do {
        keys[name.uppercased()] = try texts.map(PublicKey.init)
      } catch {
        throw PipeError(.badUsers, "\(path): a public key of user \(name) cannot be used: \(error)")
      }
    }
    self.keys = keys
  }

  /// Gives a user of the file one more key, of at most two; makes the file if there is none.
  ///
  /// - Returns: the name of the property that holds the key.
  public static func add(
    _ key: PublicKey, of principal: Principal, to path: String
  ) throws -> String {
    var file = File(account: principal.account, users: [:])
    if let text = FileManager.default.contents(atPath: path) {
      file = try decode(String(decoding: text, as: UTF8.self), path: path)
    }
    guard Principal.accountName(file.account) == principal.account else {
      throw PipeError(
        .badUsers, "\(path) is for account \(file.account), not for \(principal.account)")
    }
    let name = file.users.keys.first { $0.uppercased() == principal.user } ?? principal.user
    var user = file.users[name] ?? File.User()
    let property: File.User.CodingKeys
    if user.key == nil {
      user.key = key.base64
      property = .key
    } else if user.secondKey == nil {
      user.secondKey = key.base64
      property = .secondKey
    } else {
      throw PipeError(
        .badUsers, "\(path): user \(name) has two keys: remove the one that is not used any more")
    }
    file.users[name] = user
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    encoder.options.width = -1
    try Data(try encoder.encode(file).utf8).write(
      to: URL(fileURLWithPath: path), options: .atomic)
    return property.rawValue
  }

  private static func decode(_ text: String, path: String) throws -> File {
    do {
      return try YAMLDecoder().decode(File.self, from: text)
    } catch {
      throw PipeError(
        .badUsers,
        "\(path) is not what a file of users is: 'account: NAME' and, under 'users:', each name with its rsa_public_key"
      )
    }
  }
}

/// The file of users as it is now: read again when it changes, so that keys rotate without a
/// restart. One that became unreadable leaves what was read before.
public final class Users: Sendable {
  private struct State {
    var directory: UserDirectory
    var seen: FileStamp?
  }

  /// What tells that a file may have changed.
  private struct FileStamp: Equatable {
    let size: UInt64
    let modified: Date
    let number: UInt64

    init?(_ path: String) {
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
        return nil
      }
      size = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
      modified = attributes[.modificationDate] as? Date ?? .distantPast
      number = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
    }
  }

  private let path: String
  private let logger: Logger
  private let state: Mutex<State>

  public init(path: String, logger: Logger) throws {
    self.path = path
    self.logger = logger
    let seen = FileStamp(path)
    state = Mutex(State(directory: try UserDirectory(path: path), seen: seen))
  }

  public var directory: UserDirectory {
    state.withLock { state in
      let stamp = FileStamp(path)
      if stamp != state.seen {
        state.seen = stamp
        do {
          state.directory = try UserDirectory(path: path)
          logger.info("the users were read again", metadata: ["file": "\(path)"])
        } catch {
          logger.error("the users stay as they were", metadata: ["reason": "\(error)"])
        }
      }
      return state.directory
    }
  }
}
