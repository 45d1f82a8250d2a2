public import ObjectStore

/// One entry of a lake's history: what was consumed and what was made of it.
///
/// Stored as `commits/<number>.json`. After it is there nothing in it is computed again; its files
/// are moved to their keys as they are.
public struct Commit: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    /// Raw objects became bronze rows and quarantined lines.
    case bronze
    /// Quarantined lines were judged again under another contract.
    case redrive
  }

  /// A raw object that this commit consumed.
  public struct Source: Codable, Sendable, Equatable {
    public let key: ObjectKey
    /// Size in the store, in bytes.
    public let size: Int64
    /// Last change in the store, in nanoseconds since 1970-01-01 UTC.
    public let modified: Int64
    /// Algorithm and value, such as `xxh3:2d06800538d394c2`.
    public let checksum: String
    /// Lines as they were framed, blank ones among them.
    public let lines: Int

    public init(key: ObjectKey, size: Int64, modified: Int64, checksum: String, lines: Int) {
      self.key = key
      self.size = size
      self.modified = modified
      self.checksum = checksum
      self.lines = lines
    }
  }

  /// A file that this commit made.
  public struct File: Codable, Sendable, Equatable {
    public let key: ObjectKey
    /// Size in bytes.
    public let size: Int64
    /// Bronze rows, or quarantine records.
    public let rows: Int
    /// SHA-256 of its bytes, in hexadecimal.
    public let sha256: String
    /// For a quarantine file whose records were not all judged under the commit's contract: not
    /// that contract, so that a redrive looks at it again.
    public let contract: String?

    public init(
      key: ObjectKey, size: Int64, rows: Int, sha256: String, contract: String? = nil
    ) {
      self.key = key
      self.size = size
      self.rows = rows
      self.sha256 = sha256
      self.contract = contract
    }

    /// The same file, judged under more than one contract.
    public var judgedInPart: File {
      File(key: key, size: size, rows: rows, sha256: sha256, contract: "mixed")
    }
  }

  /// How the lines were judged. A redrive holds differences: the lines that it accepted are added
  /// to `accepted` and taken from `quarantined`.
  public struct Counts: Codable, Sendable, Equatable {
    public var lines: Int
    public var accepted: Int
    public var blank: Int
    /// By reason.
    public var quarantined: [String: Int]
    /// Members that did not fit their field, or fit none, by name.
    public var rescued: [String: Int]

    public init(
      lines: Int = 0, accepted: Int = 0, blank: Int = 0, quarantined: [String: Int] = [:],
      rescued: [String: Int] = [:]
    ) {
      self.lines = lines
      self.accepted = accepted
      self.blank = blank
      self.quarantined = quarantined
      self.rescued = rescued
    }

    public var quarantinedTotal: Int { quarantined.values.reduce(0, +) }
  }

  public let format: Int
  public let number: Int
  public let kind: Kind
  public let batch: BatchID
  /// The program that wrote it.
  public let engine: String
  public let committedAt: String
  /// SHA-256 of the contract under which the lines were judged, in hexadecimal.
  public let contract: String
  public let sources: [Source]
  public let counts: Counts
  public let bronze: [File]
  public let quarantine: [File]
  /// Quarantine files of earlier commits in whose place `quarantine` stands from now on.
  public let superseded: [ObjectKey]

  enum CodingKeys: String, CodingKey {
    case format, number, kind, batch, engine, contract, counts, bronze, quarantine, superseded
    case committedAt = "committed_at"
    case sources = "raw"
  }

  public init(
    number: Int, kind: Kind, batch: BatchID, committedAt: String, contract: String,
    sources: [Source], counts: Counts, bronze: [File], quarantine: [File],
    superseded: [ObjectKey] = []
  ) {
    format = LakeIdentity.currentFormat
    engine = Version.engine
    self.number = number
    self.kind = kind
    self.batch = batch
    self.committedAt = committedAt
    self.contract = contract
    self.sources = sources
    self.counts = counts
    self.bronze = bronze
    self.quarantine = quarantine
    self.superseded = superseded
  }

  public var files: [File] { bronze + quarantine }

  /// The same work under another number.
  public func renumbered(_ number: Int) -> Commit {
    Commit(
      number: number, kind: kind, batch: batch, committedAt: committedAt, contract: contract,
      sources: sources, counts: counts, bronze: bronze, quarantine: quarantine,
      superseded: superseded)
  }
}
