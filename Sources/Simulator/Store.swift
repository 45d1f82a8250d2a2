/// One shop of the retail world.
public struct Store: Hashable, Sendable {
  /// Its number: 4 is `S004`.
  public let number: UInt32
  /// The name for people.
  public let name: String
  /// The region, which decides the holidays.
  public let region: Region
  /// The IANA name of its time zone.
  public let timeZone: String
  /// The hour at which it opens, in its own time.
  public let opens: Int
  /// The hour at which it closes, in its own time.
  public let closes: Int
  /// The day it opened for the first time.
  public let openedOn: CivilDate
  /// How many customers it has against the other stores.
  public let weight: Double

  /// Where a store is.
  public enum Region: String, CaseIterable, Hashable, Sendable {
    case northAmerica = "north_america"
    case southAmerica = "south_america"
    case europe
    case asiaPacific = "asia_pacific"
  }

  /// The id that events carry.
  public var id: String { "S" + CivilDate.padded(Int(number), to: 3) }
}

extension Store {
  /// The stores of a seed: always the same towns, with sizes, hours and first days of the seed's own.
  static func all(seed: RandomSeed) -> [Store] {
    towns.enumerated().map { index, town in
      var random = seed.stream(for: "store", id: UInt64(index + 1))
      return Store(
        number: UInt32(index + 1), name: town.name, region: town.region, timeZone: town.zone,
        opens: 7 + Int(random.below(3)), closes: 20 + Int(random.below(4)),
        // The first one is as old as time.
        openedOn: CivilDate(
          daysSinceEpoch: CivilDate.firstOfContract + Int(random.below(7_300)) * min(index, 1)),
        weight: 0.5 + 1.5 * random.unit() * random.unit() + (index % 8 == 0 ? 1 : 0))
    }
  }

  /// All around the world, so that some stores are open at any hour.
  private static let towns: [(name: String, region: Region, zone: String)] = [
    ("New York Broadway", .northAmerica, "America/New_York"),
    ("Boston Common", .northAmerica, "America/New_York"),
    ("Toronto Queen Street", .northAmerica, "America/Toronto"),
    ("Chicago Loop", .northAmerica, "America/Chicago"),
    ("Houston Galleria", .northAmerica, "America/Chicago"),
    ("Denver Union", .northAmerica, "America/Denver"),
    ("Phoenix Biltmore", .northAmerica, "America/Phoenix"),
    ("Seattle Pike", .northAmerica, "America/Los_Angeles"),
    ("Los Angeles Grove", .northAmerica, "America/Los_Angeles"),
    ("Mexico City Reforma", .northAmerica, "America/Mexico_City"),
    ("Honolulu Ala Moana", .northAmerica, "Pacific/Honolulu"),
    ("São Paulo Paulista", .southAmerica, "America/Sao_Paulo"),
    ("Buenos Aires Palermo", .southAmerica, "America/Argentina/Buenos_Aires"),
    ("Santiago Costanera", .southAmerica, "America/Santiago"),
    ("London Oxford Street", .europe, "Europe/London"),
    ("Manchester Arndale", .europe, "Europe/London"),
    ("Dublin Grafton Street", .europe, "Europe/Dublin"),
    ("Paris Haussmann", .europe, "Europe/Paris"),
    ("Berlin Mitte", .europe, "Europe/Berlin"),
    ("Hamburg Jungfernstieg", .europe, "Europe/Berlin"),
    ("Madrid Gran Vía", .europe, "Europe/Madrid"),
    ("Milan Duomo", .europe, "Europe/Rome"),
    ("Stockholm Drottninggatan", .europe, "Europe/Stockholm"),
    ("Athens Ermou", .europe, "Europe/Athens"),
    ("Dubai Marina", .asiaPacific, "Asia/Dubai"),
    ("Mumbai Bandra", .asiaPacific, "Asia/Kolkata"),
    ("Bangkok Siam", .asiaPacific, "Asia/Bangkok"),
    ("Singapore Orchard", .asiaPacific, "Asia/Singapore"),
    ("Tokyo Ginza", .asiaPacific, "Asia/Tokyo"),
    ("Seoul Myeongdong", .asiaPacific, "Asia/Seoul"),
    ("Sydney Pitt Street", .asiaPacific, "Australia/Sydney"),
    ("Auckland Queen Street", .asiaPacific, "Pacific/Auckland"),
  ]
}
