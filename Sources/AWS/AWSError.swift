public import Flow

/// Why an AWS service, or what speaks like one, could not do what it was asked.
///
/// Holds no secret: neither keys, nor tokens, nor signed headers.
public struct AWSError: OutageError, CustomStringConvertible, Sendable {
  public enum Code: String, Sendable {
    /// There is no such object, queue, stream or job.
    case notFound = "not_found"
    /// Who asks is known, and may not.
    case accessDenied = "access_denied"
    /// Who asks is not known: no keys, wrong ones, or ones that have expired.
    case credentials = "credentials"
    /// A setting does not fit: the bucket, its region, the endpoint, a profile.
    case configuration = "configuration"
    /// Something with that name is there already, or changes at this moment.
    case conflict = "conflict"
    /// What arrived is not what was sent.
    case corrupt = "corrupt"
    /// The service or the way to it failed, and may recover.
    case unavailable = "unavailable"
    /// The service refuses a request that it understood.
    case refused = "refused"
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var isOutage: Bool { code == .unavailable || code == .corrupt }

  public var description: String { message }
}

/// What an error reply of a service says.
struct ServiceError: Error, Sendable {
  /// The HTTP status.
  let status: Int
  /// The service's own code, such as `NoSuchKey`; empty where it gives none.
  let code: String
  let message: String
  /// The region that the service says the bucket is in.
  var region: String?
  /// Whether it says nothing at all, as the answer to a HEAD.
  var isSilent = false
  /// How many times the request was sent before: where it was, this may answer its own echo.
  var retries = 0

  /// Whether the same request may succeed later.
  var isTransient: Bool {
    switch code {
    case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling",
      "ThrottlingException", "RequestThrottled", "RequestThrottledException",
      "ProvisionedThroughputExceededException", "LimitExceededException",
      "TooManyRequestsException",
      "InternalFailure", "OperationAborted", "ConditionalRequestConflict",
      "ServiceUnavailableException",
      "XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "KMS.ThrottlingException":
      true
    // 501 is what a server says of an operation that it does not have.
    default: status > 501 || status == 500 || status == 429 || status == 408 || status == 409
    }
  }

  /// Whether the keys that signed the request have run out.
  var isExpired: Bool {
    ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"]
      .contains(code)
      // A HEAD is not told.
      || (status == 400 && isSilent)
  }

  /// Whether the clocks of the two sides differ too much.
  var isSkew: Bool {
    ["RequestTimeTooSkewed", "RequestInTheFuture", "InvalidSignatureException"].contains(code)
      && (code != "InvalidSignatureException" || message.contains("ignature expired")
        || message.contains("not yet current"))
  }

  /// Whether whoever asked is not known.
  var isIdentity: Bool {
    isExpired
      || [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidToken",
        "UnrecognizedClientException", "MissingAuthenticationToken", "IncompleteSignature",
        "InvalidSignatureException", "AuthFailure", "NotSignedUp", "InvalidSecurity",
      ].contains(code)
  }
}
