/// What a simulator is asked for.
public struct SimulatorRequest: Sendable {
  /// How events and objects follow each other.
  public enum Pace: Sendable, Equatable {
    /// Objects of so many events with a pause between them, as the original script made them.
    case batches(size: Int, pause: Duration)
    /// So many events a second, on average over a typical week; an object holds `size` events, or
    /// half a second's if nil, and more by a virtual clock.
    case rate(Double, size: Int?)
    /// As fast as the store takes them.
    case maximum(size: Int)
  }

  /// A time that goes apart from the wall clock, in microseconds since 1970-01-01 UTC.
  public struct VirtualClock: Sendable, Equatable {
    /// When it begins.
    public var fromMicros: Int64
    /// When it ends; nil where it goes on to the present, and then with the wall clock.
    public var untilMicros: Int64?
    /// How much of it one object covers; nil where objects hold a number of events.
    public var stepMicros: Int64?
    /// How much faster than the wall clock it goes; nil for as fast as it can.
    public var speed: Double?

    /// Takes the times as they are.
    public init(
      fromMicros: Int64, untilMicros: Int64?, stepMicros: Int64? = nil, speed: Double? = nil
    ) {
      self.fromMicros = fromMicros
      self.untilMicros = untilMicros
      self.stepMicros = stepMicros
      self.speed = speed
    }
  }

  /// Which world the purchases come from.
  public var world: World.Name
  /// What it sells.
  public var catalogue: ProductCatalogue
  /// Decides everything random; nil for a seed from the system's randomness. A retail world then
  /// stays the one that it was in this lake.
  public var seed: UInt64?
  /// What is injected.
  public var faults: FaultPlan
  /// What the keys of the objects begin with.
  public var prefix: String
  /// How events and objects follow each other.
  public var pace: Pace
  /// nil for the wall clock.
  public var clock: VirtualClock?
  /// Stops after so many; nil for no limit.
  public var events: Int?
  /// A file to which the injected faults and the truth are appended.
  public var answerKey: String?
  /// Where the simulator remembers how far it is; nil where it need not.
  public var statePath: String?

  /// Asks for a world; everything beyond that can be set.
  public init(world: World.Name, catalogue: ProductCatalogue, pace: Pace) {
    self.world = world
    self.catalogue = catalogue
    self.pace = pace
    faults = .none
    prefix = "raw"
  }
}
