import ArgumentParser
import Foundation
import KeyPair
import Snowpipe

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Makes a key pair, and prints the statement that gives a user its public key.",
    discussion: """
      The private key is written to a file that only you may read; encrypt it with
      'openssl pkcs8 -topk8 -v2 aes-256-cbc -in rsa_key.p8 -out rsa_key.enc.p8'. A user may have two \
      keys: give the second one, change over to it, and take away the first.

      Examples:
        medallion pipe keys --user loader
        medallion pipe keys --account local --user loader --users lake/users.yaml
        medallion pipe keys --user loader --private-key rsa_key.p8    the statement for a key you have
      """)

  @Option(help: "The account; needed for --users.")
  var account: String?

  @Option(help: "The user.")
  var user: String?

  @Option(help: "Where to write the private key; the public one goes beside it, as .pub.")
  var out = "rsa_key.p8"

  @Option(help: "A private key that you have: nothing is made.")
  var privateKey: String?

  @Option(help: "Also give the user this key in the file of users of 'medallion serve'.")
  var users: String?

  @Flag(help: "Print JSON; its members are described in docs/json.md.")
  var json = false

  private struct Summary: Encodable {
    let privateKey: String
    let publicKey: String
    let fingerprint: String
    let statement: String

    enum CodingKeys: String, CodingKey {
      case fingerprint, statement
      case privateKey = "private_key"
      case publicKey = "public_key"
    }
  }

  func run() async throws {
    if users != nil, account == nil || user == nil {
      throw UsageError("--users wants --account and --user, too")
    }
    let key: PrivateKey
    if let privateKey {
      key = try PrivateKeyFile.read(privateKey)
    } else {
      key = try make()
    }
    var property = "rsa_public_key"
    if let users, let account, let user {
      property = try UserDirectory.add(
        key.publicKey, of: Principal(account: account, user: user), to: users)
    }
    let summary = Summary(
      privateKey: privateKey ?? out, publicKey: key.publicKey.base64,
      fingerprint: key.publicKey.fingerprint,
      statement:
        "ALTER USER \(user ?? "<user>") SET \(property.uppercased())='\(key.publicKey.base64)';")
    if json { return try printJSON(summary) }
    if privateKey == nil { print("private key: \(out)\npublic key: \(publicPath)") }
    if let users { print("users: \(users), \(property)") }
    print("fingerprint: \(summary.fingerprint)\n\(summary.statement)")
  }

  private var publicPath: String {
    (out.hasSuffix(".p8") ? String(out.dropLast(3)) : out) + ".pub"
  }

  private func make() throws -> PrivateKey {
    let key = try PrivateKey.generate()
    try write(key.pkcs8PEM, to: out, mode: 0o600)
    try write(key.publicKey.pem, to: publicPath, mode: 0o644)
    return key
  }

  private struct NotWritten: Error, CustomStringConvertible {
    let description: String
  }

  /// Writes a file that is not there yet: a key that is in use must not be lost.
  private func write(_ text: String, to path: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw NotWritten(
        description: errno == EEXIST
          ? "\(path) is there already: choose another --out"
          : "cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try file.write(contentsOf: Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }
}
