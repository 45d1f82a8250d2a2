import Foundation
import Synchronization

/// How often somebody may call: a bucket of calls that fills up again.
struct RateLimit: Sendable, Hashable {
  /// Calls at once.
  let burst: Double
  /// Calls that are added each second.
  let perSecond: Double
}

/// Counts calls, each caller by itself.
final class RateLimiter<Caller: Hashable & Sendable>: Sendable {
  private struct Bucket {
    var calls: Double
    var filled: Date
  }

  /// Callers that are remembered.
  private static var mostBuckets: Int { 10_000 }

  private let buckets = Mutex<[Caller: Bucket]>([:])

  /// Takes a call. Returns after how many seconds there is one, if there is none now.
  func take(_ caller: Caller, _ limit: RateLimit, now: Date) -> Double? {
    buckets.withLock { buckets in
      var bucket = buckets[caller] ?? Bucket(calls: limit.burst, filled: now)
      // A clock that was set back adds nothing.
      let seconds = max(0, now.timeIntervalSince(bucket.filled))
      bucket.calls = min(limit.burst, bucket.calls + seconds * limit.perSecond)
      bucket.filled = now
      defer {
        if buckets.count >= Self.mostBuckets, buckets[caller] == nil { buckets.removeAll() }
        buckets[caller] = bucket
      }
      guard bucket.calls >= 1 else { return (1 - bucket.calls) / limit.perSecond }
      bucket.calls -= 1
      return nil
    }
  }
}
