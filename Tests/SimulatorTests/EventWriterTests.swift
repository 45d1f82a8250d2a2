import Foundation
import Simulator
import Testing

@Suite("Event lines")
struct EventWriterTests {
  private func line(_ change: (inout PurchaseEvent) -> Void = { _ in }) throws -> String {
    var event = PurchaseEvent(
      id: UUIDBits(high: 0x8f14_e45f_ceea_467f, low: 0xa0e6_b3f1_c2d4_e5f6),
      timestampMicros: 1_795_182_310_123_456, store: 4, customer: 42, product: 2,
      priceCents: 4_999, quantity: 3)
    change(&event)
    var writer = EventWriter(products: try ProductCatalogue(csv: Fixtures.catalogueText).products)
    var bytes: [UInt8] = []
    writer.append(event, to: &bytes)
    #expect(bytes.count <= writer.maximumLineBytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("a line is what the original script's json.dumps writes")
  func plain() throws {
    #expect(
      try line() == #"""
        {"event_id": "8f14e45f-ceea-467f-a0e6-b3f1c2d4e5f6", \#
        "ts": "2026-11-20T13:45:10.123456+00:00", "store_id": "S004", "customer_id": "C000042", \#
        "product_id": "P102", "category": "home", "price": 49.99, "quantity": 3, \#
        "total_amount": 149.97}

        """#)
  }

  @Test(
    "amounts are printed as Python prints the float, to the cent",
    arguments: [
      (19_999, 1, "199.99", "199.99"), (2_990, 2, "29.9", "59.8"), (349, 3, "3.49", "10.47"),
      (10_000, 1, "100.0", "100.0"), (5, 2, "0.05", "0.1"), (0, 5, "0.0", "0.0"),
      (1_005, 5, "10.05", "50.25"), (100_000, 1, "1000.0", "1000.0"),
      (999_999_999_999, 5, "9999999999.99", "49999999999.95"),
      (.max, 1, "92233720368547758.07", "92233720368547758.07"),
    ] as [(Int64, UInt32, String, String)])
  func amounts(cents: Int64, quantity: UInt32, price: String, total: String) throws {
    let text = try line {
      $0.priceCents = cents
      $0.quantity = quantity
    }
    #expect(
      text.hasSuffix(
        "\"price\": \(price), \"quantity\": \(quantity), \"total_amount\": \(total)}\n"))
  }

  @Test("every price of up to ten dollars is the shortest text of its double")
  func shortest() throws {
    var bytes: [UInt8] = []
    var writer = EventWriter(products: try ProductCatalogue(csv: Fixtures.catalogueText).products)
    for cents in 0...1_000 {
      bytes.removeAll()
      writer.append(
        PurchaseEvent(
          id: UUIDBits(high: 0, low: 0), timestampMicros: 0, store: 1, customer: 1, product: 0,
          priceCents: Int64(cents), quantity: 1), to: &bytes)
      #expect(
        String(decoding: bytes, as: UTF8.self)
          .hasSuffix(#""total_amount": \#((Double(cents) / 100).description)}\#n"#))
    }
  }

  @Test(
    "times have six digits of the microsecond and turn over at midnight and leap days",
    arguments: [
      (0, "1970-01-01T00:00:00.000000"), (-1, "1969-12-31T23:59:59.999999"),
      (1_835_395_199_999_999, "2028-02-28T23:59:59.999999"),
      (1_835_395_200_000_000, "2028-02-29T00:00:00.000000"),
      (4_102_444_799_000_001, "2099-12-31T23:59:59.000001"),
    ] as [(Int64, String)])
  func times(micros: Int64, text: String) throws {
    #expect(
      try line { $0.timestampMicros = micros }.contains(#""ts": "\#(text)+00:00", "store_id""#))
  }

  @Test("numbers beyond the usual width are written whole")
  func wideNumbers() throws {
    let text = try line {
      $0.store = .max
      $0.customer = 1_000_000
      $0.quantity = 12_345
    }
    #expect(text.contains(#""store_id": "S4294967295", "customer_id": "C1000000""#))
    #expect(text.contains(#""quantity": 12345, "total_amount": 617126.55}"#))
    #expect(try line { $0.store = 999 }.contains(#""S999""#))
    #expect(try line { $0.store = 1_000 }.contains(#""S1000""#))
    #expect(try line { $0.customer = 999_999 }.contains(#""C999999""#))
  }

  @Test("text of the catalogue is escaped as json.dumps escapes it")
  func escapes() throws {
    var writer = EventWriter(
      products: try ProductCatalogue(csv: Fixtures.awkwardCatalogueText).products)
    var bytes: [UInt8] = []
    writer.append(
      PurchaseEvent(
        id: UUIDBits(high: 0, low: 0), timestampMicros: 0, store: 1, customer: 1, product: 0,
        priceCents: 2_990, quantity: 1), to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(
      text.contains(
        #""product_id": "P \"1\"", "category": "Caf\u00e9 \\\\ \ud83d\ude00", "price": 29.9,"#))
  }
}
