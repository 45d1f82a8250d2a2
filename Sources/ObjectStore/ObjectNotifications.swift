/// Messages that tell of objects: what a watch is to one host, a queue is to many.
///
/// A message stays in the queue until it is acknowledged, and comes again after a while if it is
/// not; it may come twice, late, or never. So it is a hint, and listings find the rest.
public protocol ObjectNotifications: Sendable {
  /// How a person would name it.
  var location: String { get }

  /// How long a message that was received stays hidden from others.
  func visibility() async throws -> Duration

  /// Waits for messages, for some seconds at most.
  func receive() async throws -> [ObjectNotification]

  /// Keeps messages hidden for so long from now, while their objects are worked on.
  func extend(_ notifications: [ObjectNotification], by visibility: Duration) async throws

  /// Removes messages whose objects are taken care of.
  func acknowledge(_ notifications: [ObjectNotification]) async throws
}

/// One message.
public struct ObjectNotification: Sendable {
  /// By which the queue knows this delivery of it.
  public let receipt: String
  /// The lake's objects that it tells of; none where it tells of nothing here.
  public let keys: [ObjectKey]

  public init(receipt: String, keys: [ObjectKey]) {
    self.receipt = receipt
    self.keys = keys
  }
}
