import Foundation
import Simulator
import Testing

@Suite("Product catalogue")
struct ProductCatalogueTests {
  @Test("the products of the original script are read with their prices in cents")
  func plain() throws {
    let catalogue = try ProductCatalogue(csv: Fixtures.catalogueText)
    #expect(catalogue.products.map(\.id) == ["P100", "P101", "P102", "P103"])
    #expect(catalogue.products.map(\.priceCents) == [19_999, 2_999, 4_999, 349])
    #expect(catalogue.products.map(\.category) == ["electronics", "clothing", "home", "grocery"])
    #expect(catalogue.products[0].name == "Wireless headphones")
    #expect(catalogue.products[0].validFrom.description == "2000-01-01")
  }

  @Test("the project's own catalogue is that of the original script")
  func project() throws {
    let text = try String(contentsOf: Fixtures.contractFile("products.csv"), encoding: .utf8)
    let products = try ProductCatalogue(csv: text).products
    let plain = try ProductCatalogue(csv: Fixtures.catalogueText).products
    #expect(products.map(\.id) == plain.map(\.id))
    #expect(products.map(\.category) == plain.map(\.category))
    #expect(products.map(\.priceCents) == plain.map(\.priceCents))
  }

  @Test(
    "columns may come in any order, quoted, with others between, with CRLF and a byte order mark")
  func layouts() throws {
    let text =
      "\u{feff}price,note,category,product_id,valid_from,name\r\n"
      + "\"5\",\"a, \"\"b\"\"\nc\",x,P1,2026-01-31,\"One, two\"\r\n"
      + "\r\n"
      + "0.5,,y,P2,2026-01-31,Three"
    let catalogue = try ProductCatalogue(csv: text)
    #expect(catalogue.rows.map(\.name) == ["One, two", "Three"])
    #expect(catalogue.rows.map(\.priceCents) == [500, 50])
  }

  @Test("a product with several prices is one product at its first price, and keeps all its rows")
  func severalPrices() throws {
    let catalogue = try ProductCatalogue(
      csv: """
        product_id,name,category,price,valid_from
        P1,One,x,2.00,2026-06-01
        P2,Two,x,9.99,2020-01-01
        P1,One,x,1.00,2020-01-01
        """)
    #expect(catalogue.products.map(\.id) == ["P1", "P2"])
    #expect(catalogue.products.map(\.priceCents) == [100, 999])
    #expect(catalogue.rows.count == 3)
  }

  @Test(
    "a catalogue that cannot be read is refused in one sentence that names the place",
    arguments: [
      ("", "the product catalogue is empty"),
      ("product_id,name,category,price,valid_from\n", "the product catalogue has no product"),
      (
        "product_id,name,category,price\n",
        "line 1: the header has no column valid_from; "
          + "it needs product_id, name, category, price, valid_from"
      ),
      (
        "name,product_id,name,category,price,valid_from\n",
        "line 1: the column name stands twice in the header"
      ),
      (row("P1,One,x,1.00"), "line 2: a row has 4 fields where the header has 5"),
      (row("P1,One,,1.00,2020-01-01"), "line 2: the category is empty"),
      (row(",One,x,1.00,2020-01-01"), "line 2: the product_id is empty"),
      (row("P1,One,x,1.005,2020-01-01"), badPrice("1.005")),
      (row("P1,One,x,-1,2020-01-01"), badPrice("-1")),
      (row("P1,One,x,1.,2020-01-01"), badPrice("1.")),
      (row("P1,One,x,.5,2020-01-01"), badPrice(".5")),
      (row("P1,One,x,1e3,2020-01-01"), badPrice("1e3")),
      (row("P1,One,x,10000000000,2020-01-01"), badPrice("10000000000")),
      (
        row("P1,One,x,1,2020-02-30"),
        "line 2: valid_from '2020-02-30' is no date such as 2026-01-31"
      ),
      (
        row("P1,One,x,1,2020-01-01\nP1,Two,x,2,2020-01-01"),
        "line 3: product P1 has two prices from 2020-01-01 on"
      ),
      (row("P1,\"One,x,1,2020-01-01"), "line 2: a quoted field has no end"),
      (row("P1,\"One\"s,x,1,2020-01-01"), "line 2: text follows a closing quote"),
    ])
  func refused(text: String, message: String) {
    let error = #expect(throws: SimulatorError.self) { try ProductCatalogue(csv: text) }
    #expect(error?.description == message)
    #expect(error?.code == .invalidCatalogue)
  }

  private static func row(_ row: String) -> String {
    "product_id,name,category,price,valid_from\n" + row
  }

  private static func badPrice(_ price: String) -> String {
    "line 2: the price '\(price)' is no amount such as 199.99, from 0.00 to 9999999999.99"
  }
}
