import CZstd

/// One zstd context, reused for every page of a file.
///
/// Not sendable: one task compresses.
final class ZstdCompressor {
  /// How hard to look for repeats.
  enum Setting: Equatable {
    case level(Int)
    /// For text that is close to random: a small table of recent places, long matches only, and
    /// long steps between the places looked at, so that nearly all the gain comes from coding
    /// frequent bytes shorter. On UUIDs half the time of level 1, and as small within 2 %.
    case sparseMatches
    /// For texts of one length, which with it takes so many bytes. See `FixedTextFrames`.
    case fixedTexts(width: Int)
    /// For numbers of eight bytes that follow each other. See `NumberFrames`.
    case numbers
    /// For such whose high bytes change too often for that. See `NumberRepeats`.
    case repeats
  }

  /// The levels that zstd knows.
  static let levels = -131_072...22

  private let context: OpaquePointer
  private var setting: Setting?
  private var fixedTexts = FixedTextFrames()
  private var numbers = NumberFrames()
  private var sequences = ByteBuffer()

  init() throws(ParquetError) {
    guard let context = ZSTD_createCCtx() else {
      throw ParquetError(.compressionFailed, "no memory for a zstd context")
    }
    self.context = context
  }

  deinit { ZSTD_freeCCtx(context) }

  func use(_ wanted: Setting) throws(ParquetError) {
    if setting == wanted { return }
    try check(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters))
    switch wanted {
    case .level(let level):
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
    case .sparseMatches:
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_strategy, Int32(ZSTD_fast.rawValue)))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, 8))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, 7))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, 5))
      // ZSTD_c_literalCompressionMode = ZSTD_ps_enable: with a step, zstd would else leave
      // literals as they are. A library that does not know the parameter just compresses less,
      // and this setting is then not chosen.
      _ = ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam5, 1)
    case .repeats:
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1))
      // ZSTD_c_blockDelimiters = ZSTD_sf_explicitBlockDelimiters
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam11, 1))
      // ZSTD_c_searchForExternalRepcodes = ZSTD_ps_enable: every repeat is as far back as the last.
      // Without it, in a library from before 1.5.5, the result is a little larger.
      _ = ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam19, 1)
    case .fixedTexts, .numbers:
      // For a page that turns out to be another.
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3))
    }
    setting = wanted
  }

  /// Room that the result of `compress` needs at most.
  static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

  /// Compresses to one frame and gives its length; `target` has room for ``bound(_:)`` bytes.
  func compress(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer
  ) throws(ParquetError) -> Int {
    let frame: Int? =
      switch setting {
      case .fixedTexts(let width): fixedTexts.write(source, width: width, to: target)
      case .numbers: numbers.write(source, to: target)
      default: nil
      }
    if let frame { return frame }
    if setting == .repeats {
      let count = NumberRepeats.find(in: source, to: &sequences)
      let length = sequences.start.withMemoryRebound(to: ZSTD_Sequence.self, capacity: count) {
        ZSTD_compressSequences(
          context, target, Self.bound(source.count), $0, count, source.baseAddress, source.count)
      }
      try check(length)
      return length
    }
    let length = ZSTD_compress2(
      context, target, Self.bound(source.count), source.baseAddress, source.count)
    try check(length)
    return length
  }

  private func check(_ result: Int) throws(ParquetError) {
    if ZSTD_isError(result) != 0 {
      let name = String(cString: ZSTD_getErrorName(result))
      throw ParquetError(.compressionFailed, "zstd says: \(name)")
    }
  }
}
