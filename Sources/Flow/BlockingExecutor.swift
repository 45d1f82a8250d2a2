import Dispatch

/// Runs tasks on threads that may block.
///
/// The stages read and write files, take locks and run queries with calls that block. On the
/// shared executor, which has one thread a core, one waiting stage would hold up the others.
public final class BlockingExecutor: TaskExecutor {
  public static let shared = BlockingExecutor()

  private let queue = DispatchQueue(label: "medallion.blocking", attributes: .concurrent)

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
