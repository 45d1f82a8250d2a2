import Lake
import ObjectStore

/// Which raw objects make up one batch.
struct BatchPlan {
  /// Stored bytes after which a batch takes no further object.
  static let mostBytes: Int64 = 8 << 30
  static let mostObjects = 10_000
  /// Days of arrival, each of which may open a quarantine file.
  static let mostDays = 64
  /// Below this a second worker costs more in small files than it gains.
  private static let bytesForTwoWorkers: Int64 = 16 << 20

  let objects: [ObjectInfo]

  /// The first of `waiting` that fit in one batch, and at least one.
  ///
  /// - Parameter waiting: raw objects in the order of their keys; not empty.
  init(firstOf waiting: some Sequence<ObjectInfo>) {
    var objects: [ObjectInfo] = []
    var bytes: Int64 = 0
    var days: Set<String> = []
    for object in waiting {
      let day = LakeLayout.arrivalDay(of: object)
      if days.count == Self.mostDays, !days.contains(day) { break }
      days.insert(day)
      if !objects.isEmpty,
        objects.count == Self.mostObjects || bytes + object.sizeBytes > Self.mostBytes
      {
        break
      }
      objects.append(object)
      bytes += object.sizeBytes
    }
    self.objects = objects
  }

  /// How many workers should share it.
  func workerCount(cores: Int) -> Int {
    let bytes = objects.map(\.sizeBytes).reduce(0, +)
    return bytes < Self.bytesForTwoWorkers ? 1 : max(1, min(cores, objects.count))
  }
}
