/// What every value of a column chunk lies between, as the footer states it.
package struct ColumnBounds {
  /// PLAIN bytes, without a length for text.
  package var lower: [UInt8]
  package var upper: [UInt8]
  /// Whether the bound is itself a value of the chunk.
  package var isLowerExact = true
  package var isUpperExact = true
}

extension ColumnBounds {
  /// Bounds of text, cut to `limit` bytes without cutting a character: the lower one to a prefix,
  /// the upper one to a prefix of which the last character is raised by one.
  ///
  /// Nil if a bound cannot be stated: it is not UTF-8, or no shorter text stands above it. UTF-8
  /// sorts the same by bytes as by code points, so raising a character raises the text.
  package init?(lower: UnsafeRawBufferPointer, upper: UnsafeRawBufferPointer, limit: Int) {
    guard let low = Self.prefix(lower, limit), let high = Self.prefix(upper, limit) else {
      return nil
    }
    self.lower = Array(low.utf8)
    isLowerExact = low.utf8.count == lower.count
    isUpperExact = high.utf8.count == upper.count
    if isUpperExact {
      self.upper = Array(high.utf8)
    } else {
      guard let raised = Self.raised(high) else { return nil }
      self.upper = raised
    }
  }

  private static func prefix(_ text: UnsafeRawBufferPointer, _ limit: Int) -> String? {
    var end = min(text.count, limit)
    if end < text.count {
      // Back to the start of the character that the limit would cut.
      while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
    }
    return String(validating: UnsafeRawBufferPointer(rebasing: text[..<end]), as: UTF8.self)
  }

  private static func raised(_ text: String) -> [UInt8]? {
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      if last.value == 0x10FFFF { continue }
      // The code points of surrogates are no characters.
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let scalar = Unicode.Scalar(next) else { return nil }
      scalars.append(scalar)
      var raised = String.UnicodeScalarView()
      raised.append(contentsOf: scalars)
      return Array(String(raised).utf8)
    }
    return nil
  }
}
