import Foundation

/// The CPU time that `body` takes of this thread, in seconds: what else the machine does is not in it.
public func cpuSeconds(of body: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
  let began = now()
  try body()
  return now() - began
}
