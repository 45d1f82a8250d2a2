/// Why one raw object could not be read, through no fault of the store.
struct RawObjectFault: Error, CustomStringConvertible {
  enum Reason: String {
    case vanished = "vanished before it was read"
    case unreadable = "may not be read by this user"
    case changed = "changed while it was read"
    case corruptGzip = "is not valid gzip"
    case gzipBomb = "unpacks to more than 250 times its size, or to more than 64 GiB"
    case truncatedGzip = "ends in the middle of its gzip data"
  }

  let reason: Reason

  var description: String { reason.rawValue }
}
