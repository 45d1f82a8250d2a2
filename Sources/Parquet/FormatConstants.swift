// The numbers of `parquet.thrift` that this writer uses.

/// `Type`: how values lie in a page.
enum PhysicalType: Int32 {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case double = 5
  case byteArray = 6
}

/// `ConvertedType`: what values mean, for readers from before LogicalType.
enum ConvertedType: Int32 {
  case utf8 = 0
  case date = 6
  case timestampMicros = 10
}

/// `Encoding`. The first three are what a version 1 writer uses; it names a dictionary's pages
/// PLAIN_DICTIONARY, both the entries (laid out as PLAIN) and the indexes (laid out as
/// RLE_DICTIONARY).
enum PageEncoding: Int32 {
  case plain = 0
  case plainDictionary = 2
  case rle = 3
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
}

/// `CompressionCodec`.
enum Codec: Int32 {
  case uncompressed = 0
  case zstd = 6
}

/// `PageType`.
enum PageType: Int32 {
  case data = 0
  case dictionary = 2
}

extension ParquetSchema.Column.Kind {
  var physicalType: PhysicalType {
    switch self {
    case .string: .byteArray
    case .double: .double
    case .int32, .date: .int32
    case .int64, .timestampMicrosUTC: .int64
    case .boolean: .boolean
    }
  }

  var convertedType: ConvertedType? {
    switch self {
    case .string: .utf8
    case .date: .date
    case .timestampMicrosUTC: .timestampMicros
    case .double, .int32, .int64, .boolean: nil
    }
  }
}
