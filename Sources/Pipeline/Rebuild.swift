import AWS
import Foundation
public import Lake
import ObjectStore

/// Makes a fresh lake from the raw objects of another, under the present contract, for example
/// after it gained a field. The old lake is only read.
public struct Rebuild: Sendable {
  /// What was taken over.
  public struct Report: Codable, Sendable {
    public var objects = 0
    public var bytes = 0
  }

  private let source: any ObjectStore

  /// Looks at both places before anything is made in the new one.
  ///
  /// - Parameters:
  ///   - raw: the old lake.
  ///   - place: where the new one will be.
  ///   - state: where this host's own files of the new one are; if nil, the place's own default.
  public init(raw: String, place: String, state: String?) async throws {
    let from = try StoreLocation(raw)
    let none = LakeError(.noLake, "there is no lake at \(raw) to rebuild from: name one with --raw")
    if case .directory(let path) = from, !FileManager.default.fileExists(atPath: path) {
      throw none
    }
    let to = try StoreLocation(place)
    source = try from.open(state: state ?? to.defaultState)
    let target =
      switch to {
      case .directory(let path): URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      case .s3(let location): location.text
      }
    guard source.location != target else {
      throw LakeError(
        .unsupportedPlace, "a lake cannot be rebuilt in its own place: name another with --lake")
    }
    guard try await from.exists(source) else { throw none }
  }

  /// Copies the raw objects, each under its own key; those that are there already are passed over,
  /// so an interrupted rebuild goes on.
  public func copyRaw(
    to target: Lake, progress: @Sendable (Report) -> Void
  ) async throws -> Report {
    var report = Report()
    let store = target.store
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
        guard try await reader.isUnchanged() else {
          throw LakeError(
            .unsupportedPlace,
            "\(object.key) changes while it is copied: end whatever writes to \(source.location)/raw first"
          )
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
