/// Why a text is not the key that it should be.
public struct KeyError: Error, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// No RSA key, or none in a form that is read.
    case noKey = "no_key"
    /// A public key where the private one must be.
    case publicForPrivate = "public_key_for_private"
    /// A private key where the public one must be.
    case privateForPublic = "private_key_for_public"
    /// The key is encrypted, and no passphrase was given.
    case passphraseMissing = "passphrase_missing"
    /// The passphrase does not open it.
    case wrongPassphrase = "wrong_passphrase"
    /// The passphrase has letters that cannot be used here.
    case unusablePassphrase = "passphrase_unusable"
    /// Fewer than 2048 bits.
    case tooShort = "key_too_short"
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
