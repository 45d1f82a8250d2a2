import Bronze
import Foundation
import Lake
public import Logging
import ObjectStore
import Snowpipe
import Transform

/// Makes a fresh lake from the raw objects of another, under the present contract, for example
/// after it gained a field. The old lake is only read.
public struct Rebuild: Sendable {
  /// What was taken over.
  public struct Report: Codable, Sendable {
    public var objects = 0
    public var bytes = 0
  }

  private let source: any ObjectStore
  private let target: Workspace
  private let logger: Logger

  /// - Parameters:
  ///   - raw: the old lake.
  ///   - target: the new one.
  public init(raw: String, target: Workspace, logger: Logger) throws {
    guard FileManager.default.fileExists(atPath: raw) else {
      throw LakeError(.noLake, "there is no lake at \(raw) to rebuild from")
    }
    source = try StoreLocation.open(raw)
    self.target = target
    self.logger = logger
    guard source.location != target.lake.store.location else {
      throw LakeError(
        .unsupportedPlace, "a lake cannot be rebuilt in its own place: name another with --lake")
    }
  }

  /// Copies the raw objects, each under its own key; those that are there already are passed over,
  /// so an interrupted rebuild goes on.
  public func copyRaw(progress: @Sendable (Report) -> Void) async throws -> Report {
    var report = Report()
    let store = target.lake.store
    try await source.list(LakeLayout.raw) { object in
      guard LakeLayout.isRawObject(object.key) else { return true }
      if try await store.info(object.key) == nil {
        let work = ObjectKey(trusted: "\(LakeLayout.work)rebuild/\(object.key.text)")
        let writer = try store.createWorkObject(work)
        let reader = try await source.open(object.key)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
          let count = try await reader.read(into: buffer)
          if count == 0 { break }
          try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        try await writer.finish()
        try await store.publish(work, as: object.key)
      }
      report.objects += 1
      report.bytes += Int(object.sizeBytes)
      progress(report)
      return true
    }
    try await store.deleteAll("\(LakeLayout.work)rebuild/")
    return report
  }
}
