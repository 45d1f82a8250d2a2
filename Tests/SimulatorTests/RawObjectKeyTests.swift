import Simulator
import Testing

@Suite("Raw object keys")
struct RawObjectKeyTests {
  private let id = UUIDBits(high: 0x018f_d5a0_7c1e_7a3b, low: 0x9d2e_4f60_7182_93a4)

  @Test(
    "an object is filed under the UTC hour of its arrival",
    arguments: [
      (1_795_453_200_000_000, "yyyy=2026/mm=11/dd=23/HH=17"),
      (1_795_478_399_999_999, "yyyy=2026/mm=11/dd=23/HH=23"),
      (1_795_478_400_000_000, "yyyy=2026/mm=11/dd=24/HH=00"),
      (1_830_297_599_999_999, "yyyy=2027/mm=12/dd=31/HH=23"),
      (1_830_297_600_000_000, "yyyy=2028/mm=01/dd=01/HH=00"),
      (1_835_395_199_999_999, "yyyy=2028/mm=02/dd=28/HH=23"),
      (1_835_395_200_000_000, "yyyy=2028/mm=02/dd=29/HH=00"),
      (1_835_481_600_000_000, "yyyy=2028/mm=03/dd=01/HH=00"),
    ] as [(Int64, String)])
  func hours(arrival: Int64, folder: String) {
    let key = RawObjectKey.make(prefix: "raw", arrivalMicros: arrival, uuid: id)
    #expect(key.text == "raw/\(folder)/018fd5a0-7c1e-7a3b-9d2e-4f60718293a4.json")
  }

  @Test(
    "slashes around the prefix do not count, and it may be missing",
    arguments: [
      ("raw", "raw/"), ("raw/", "raw/"), ("/raw//", "raw/"), ("a/raw", "a/raw/"), ("", ""),
      ("/", ""),
    ])
  func prefixes(prefix: String, start: String) {
    let key = RawObjectKey.make(prefix: prefix, arrivalMicros: 0, uuid: id)
    #expect(
      key.text == "\(start)yyyy=1970/mm=01/dd=01/HH=00/018fd5a0-7c1e-7a3b-9d2e-4f60718293a4.json")
  }
}
