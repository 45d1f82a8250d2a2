import Simulator
import Testing

@Suite("Seeded randomness")
struct SeededRandomTests {
  @Test("SplitMix64 yields its author's numbers")
  func splitMix() {
    var generator = SplitMix64(state: 1_234_567)
    let numbers = (0..<5).map { _ in generator.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test("xoshiro256** yields its authors' numbers")
  func xoshiro() {
    var generator = SeededRandom(state: (1, 2, 3, 4))
    let numbers = (0..<10).map { _ in generator.next() }
    #expect(
      numbers == [
        11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
        607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
        10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
      ])
  }

  @Test("a seed and a stream's name and number give the same numbers for ever")
  func golden() {
    var seeded = SeededRandom(seed: 42)
    #expect((0..<3).map { _ in seeded.next() } == Golden.seed42)
    var stream = RandomSeed(42).stream(for: "purchases")
    #expect((0..<3).map { _ in stream.next() } == Golden.purchases)
    var numbered = RandomSeed(42).stream(for: "store", id: 4)
    #expect(numbered.next() == Golden.store4)
    var named = RandomSeed(42).stream(for: "store", id: "S004")
    #expect(named.next() == Golden.storeS004)
    #expect((0..<8).map { _ in named.below(1_000) } == Golden.below1000)
  }

  private enum Golden {
    static let seed42: [UInt64] = [
      1_546_998_764_402_558_742, 6_990_951_692_964_543_102, 12_544_586_762_248_559_009,
    ]
    static let purchases: [UInt64] = [
      15_659_322_223_368_097_430, 9_592_678_454_854_888_341, 10_928_588_679_098_624_653,
    ]
    static let store4: UInt64 = 4_046_369_621_816_594_839
    static let storeS004: UInt64 = 248_579_695_428_882_390
    static let below1000: [UInt64] = [4, 34, 976, 263, 894, 504, 385, 603]
  }

  @Test("streams of other names, numbers and seeds have nothing in common")
  func streamsDiffer() {
    let streams = [
      RandomSeed(1).stream(for: "a"), RandomSeed(1).stream(for: "b"),
      RandomSeed(2).stream(for: "a"), RandomSeed(1).stream(for: "a", id: 1),
      RandomSeed(1).stream(for: "a", id: "1"),
    ]
    let numbers = streams.flatMap { stream in
      var stream = stream
      return (0..<1_000).map { _ in stream.next() }
    }
    #expect(Set(numbers).count == numbers.count)
  }

  @Test("numbers below a bound are all equally likely")
  func belowIsUniform() {
    var random = SeededRandom(seed: 7)
    var counts = Array(repeating: 0, count: 10)
    for _ in 0..<100_000 { counts[Int(random.below(10))] += 1 }
    // Six standard deviations of a binomial count are 569.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 569 })
    #expect(random.below(1) == 0)
    #expect(random.below(0) == 0)
  }

  @Test("a bound just above half of all numbers is met fairly, by drawing again")
  func belowRejects() {
    var random = SeededRandom(seed: 7)
    let bound = UInt64(1) << 63 + 1
    let lower = (0..<10_000).count { _ in random.below(bound) < bound / 2 }
    #expect(abs(lower - 5_000) < 300)
  }
}
