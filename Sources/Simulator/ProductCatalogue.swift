/// The products that can be bought, read from the text of `contract/products.csv`.
///
/// The file has a header that names at least the columns `product_id`, `name`, `category`, `price`
/// (at most two decimals) and `valid_from` (`YYYY-MM-DD`), in any order; further columns are passed
/// over. Fields may be quoted (RFC 4180). A product has one row for each price it ever had.
public struct ProductCatalogue: Hashable, Sendable {
  /// All rows, in the order of the file; at least one.
  public let rows: [Product]

  /// Each product once, with the first price it had, in the order of the file.
  public let products: [Product]

  /// The highest price a row may have, in cents: totals then stay exact as doubles too.
  static let maximumPriceCents: Int64 = 999_999_999_999

  /// Reads a catalogue.
  ///
  /// - Throws: ``SimulatorError`` with the code `invalid_catalogue` and the line, for a missing
  ///   column, an empty or unreadable value, a price given twice for one day, or no product at all.
  public init(csv text: String) throws(SimulatorError) {
    let records = try CSVText.records(of: text)
    guard let header = records.first else {
      throw SimulatorError(.invalidCatalogue, "the product catalogue is empty")
    }
    let columns = try Columns(header: header)
    var rows: [Product] = []
    var seen: Set<[String]> = []
    for record in records.dropFirst() {
      let product = try columns.product(of: record)
      guard seen.insert([product.id, product.validFrom.description]).inserted else {
        throw SimulatorError(
          .invalidCatalogue, "product \(product.id) has two prices from \(product.validFrom) on",
          line: record.line)
      }
      rows.append(product)
    }
    guard !rows.isEmpty else {
      throw SimulatorError(.invalidCatalogue, "the product catalogue has no product")
    }
    self.rows = rows
    self.products = Self.firstPrices(of: rows)
  }

  private static func firstPrices(of rows: [Product]) -> [Product] {
    var order: [String] = []
    var first: [String: Product] = [:]
    for row in rows {
      if let known = first[row.id] {
        if row.validFrom < known.validFrom { first[row.id] = row }
      } else {
        order.append(row.id)
        first[row.id] = row
      }
    }
    return order.compactMap { first[$0] }
  }
}

/// Where each column of the catalogue stands in a record.
private struct Columns {
  private let indices: [String: Int]
  private let count: Int

  private static let names = ["product_id", "name", "category", "price", "valid_from"]

  init(header: CSVText.Record) throws(SimulatorError) {
    var indices: [String: Int] = [:]
    for (index, name) in header.fields.enumerated() where Self.names.contains(name) {
      guard indices.updateValue(index, forKey: name) == nil else {
        throw SimulatorError(
          .invalidCatalogue, "the column \(name) stands twice in the header", line: header.line)
      }
    }
    for name in Self.names where indices[name] == nil {
      throw SimulatorError(
        .invalidCatalogue,
        "the header has no column \(name); it needs \(Self.names.joined(separator: ", "))",
        line: header.line)
    }
    self.indices = indices
    self.count = header.fields.count
  }

  func product(of record: CSVText.Record) throws(SimulatorError) -> Product {
    guard record.fields.count == count else {
      throw SimulatorError(
        .invalidCatalogue,
        "a row has \(record.fields.count) fields where the header has \(count)", line: record.line)
    }
    let priceText = try value("price", of: record)
    guard let priceCents = Self.cents(priceText) else {
      throw SimulatorError(
        .invalidCatalogue,
        "the price '\(priceText)' is no amount such as 199.99, from 0.00 to 9999999999.99",
        line: record.line)
    }
    let dayText = try value("valid_from", of: record)
    guard let validFrom = CivilDate(dayText) else {
      throw SimulatorError(
        .invalidCatalogue, "valid_from '\(dayText)' is no date such as 2026-01-31",
        line: record.line)
    }
    return Product(
      id: try value("product_id", of: record), name: try value("name", of: record),
      category: try value("category", of: record), priceCents: priceCents, validFrom: validFrom)
  }

  private func value(_ name: String, of record: CSVText.Record) throws(SimulatorError) -> String {
    guard let index = indices[name], !record.fields[index].isEmpty else {
      throw SimulatorError(.invalidCatalogue, "the \(name) is empty", line: record.line)
    }
    return record.fields[index]
  }

  /// The cents of an amount with at most two decimals, or nil when the text is anything else.
  private static func cents(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = digits(parts[0], count: 1...10) else { return nil }
    guard parts.count == 2 else { return whole * 100 }
    guard let fraction = digits(parts[1], count: 1...2) else { return nil }
    return whole * 100 + (parts[1].utf8.count == 1 ? fraction * 10 : fraction)
  }

  private static func digits(_ text: Substring, count: ClosedRange<Int>) -> Int64? {
    guard count.contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int64(text)
  }
}
