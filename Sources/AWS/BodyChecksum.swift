import Crypto
import Foundation
package import NIOHTTP1

enum Base64 {
  static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// Tells whether the body of an object arrived as the server has it.
package struct BodyChecksum {
  private enum Hash {
    case cyclic(CyclicChecksum)
    case sha256(SHA256)
    case sha1(Insecure.SHA1)
    case md5(Insecure.MD5)
  }

  private var hash: Hash
  private let expected: String

  /// The best check that the reply to a GET allows; nil where it allows none.
  ///
  /// S3 sends the checksum that an object was stored with. Where there is none, its ETag is an MD5
  /// if the object was stored in one piece, and is not encrypted with a key of its own.
  package init?(_ headers: HTTPHeaders) {
    func value(_ name: String) -> String? {
      // That of an object in parts, `…-3`, is made of its parts' checksums.
      headers.first(name: "x-amz-checksum-\(name)").flatMap { $0.contains("-") ? nil : $0 }
    }
    for kind in CyclicChecksum.Kind.allCases {
      if let expected = value(kind.rawValue) {
        self.expected = expected
        hash = .cyclic(CyclicChecksum(kind))
        return
      }
    }
    if let expected = value("sha256") {
      self.expected = expected
      hash = .sha256(SHA256())
    } else if let expected = value("sha1") {
      self.expected = expected
      hash = .sha1(Insecure.SHA1())
    } else if let tag = headers.first(name: "etag")?.trimmingCharacters(in: ["\""]),
      tag.count == 32, tag.allSatisfy(\.isHexDigit),
      !["aws:kms", "aws:kms:dsse"].contains(headers.first(name: "x-amz-server-side-encryption")),
      headers.first(name: "x-amz-server-side-encryption-customer-algorithm") == nil
    {
      expected = tag.lowercased()
      hash = .md5(Insecure.MD5())
    } else {
      return nil
    }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch hash {
    case .cyclic(var checksum):
      checksum.update(bytes)
      hash = .cyclic(checksum)
    case .sha256(var sha256):
      sha256.update(bufferPointer: bytes)
      hash = .sha256(sha256)
    case .sha1(var sha1):
      sha1.update(bufferPointer: bytes)
      hash = .sha1(sha1)
    case .md5(var md5):
      md5.update(bufferPointer: bytes)
      hash = .md5(md5)
    }
  }

  /// Whether what was seen is the whole body.
  package var isRight: Bool {
    switch hash {
    case .cyclic(let checksum): checksum.base64 == expected
    case .sha256(let sha256): Base64.encode(Array(sha256.finalize())) == expected
    case .sha1(let sha1): Base64.encode(Array(sha1.finalize())) == expected
    case .md5(let md5): hexadecimal(md5.finalize()) == expected
    }
  }
}
