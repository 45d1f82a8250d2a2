import Crypto
import Lake

/// SHA-256 in hexadecimal, for the long texts that the corpus names only by their digest.
public func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }
