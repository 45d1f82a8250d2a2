import Dashboard
import Testing

@Suite struct PageTests {
  private static let hostile = #"<script>alert("1 & '2'")</script>"#

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"),
  ])
  func aCountHasItsThousandsApart(_ number: Int, _ text: String) {
    #expect(Words.count(number) == text)
  }

  @Test(arguments: [
    ("0.00", "$0.00"), ("1234.50", "$1,234.50"),
    ("99999999999999999999.10", "$99999999999999999999.10"),
  ])
  func anAmountKeepsItsCents(_ amount: String, _ text: String) {
    #expect(Words.money(amount) == text)
  }

  @Test(arguments: [
    ("lake", "lake"), ("s3://bucket/a-b", "s3://bucket/a-b"), ("my lake", "'my lake'"),
    ("it's; rm -rf /", #"'it'\''s; rm -rf /'"#), ("", "''"),
  ])
  func aCommandIsSafeToCopy(_ argument: String, _ text: String) {
    #expect(Words.shell(argument) == text)
  }

  @Test func aViewIsItsQuery() {
    var view = View {
      ["from": "2026-11-02", "to": "x", "category": Self.hostile, "store": ""][$0]
    }
    #expect(view.from == "2026-11-02")
    #expect(view.to == nil)
    #expect(view.store == nil)
    #expect(view.category == Self.hostile)
    #expect(!view.query.contains { "<>\"' ".contains($0) })
    view.category = "a&b=c"
    #expect(view.query == "from=2026-11-02&category=a%26b%3Dc")
    #expect(View { _ in String(repeating: "x", count: 300) } == View())
  }

  @Test func placesAreTakenAndGivenBack() {
    let viewers = Viewers()
    var streams: [AsyncStream<Void>?] = []
    for number in 0..<Viewers.mostViews {
      var view = View()
      view.store = String(number)
      streams.append(viewers.join(view))
    }
    #expect(streams.allSatisfy { $0 != nil })
    var other = View()
    other.store = "another"
    #expect(viewers.join(other) == nil)
    // One more who looks at what somebody looks at costs little.
    var known = View()
    known.store = "0"
    var last = viewers.join(known)
    #expect(last != nil)
    last = nil
    streams.removeAll()
    #expect(viewers.count == 0)
    viewers.end()
    #expect(viewers.join(View()) == nil)
  }
}
