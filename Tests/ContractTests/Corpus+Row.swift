import Contract
import TestSupport

extension Corpus.Expected {
  func row(line: Int64) throws -> Row {
    func text(_ value: String?) -> Cell { value.map(Cell.string) ?? .null }
    func number(_ value: Double?) -> Cell { value.map(Cell.number) ?? .null }
    guard let day = UTCDay.day(dt) else { throw Corpus.Unreadable(what: dt) }
    return Row(
      day: day, line: line, object: 7,
      cells: [
        "event_id": text(eventId), "ts": .micros(try micros(ts)), "store_id": text(storeId),
        "customer_id": text(customerId), "product_id": text(productId),
        "category": text(category), "price": number(price),
        "quantity": quantity.map(Cell.int32) ?? .null, "total_amount": number(totalAmount),
        "_rescued_data": text(_rescuedData),
      ])
  }

  /// "2026-11-20T13:45:10.123456Z", by the C library's calendar.
  private func micros(_ text: String) throws -> Int64 {
    let parts = text.split(whereSeparator: { "-T:.Z".contains($0) }).compactMap { Int32($0) }
    guard parts.count == 7 else { throw Corpus.Unreadable(what: text) }
    return referenceMicros(
      year: parts[0], month: parts[1], day: parts[2], hour: parts[3], minute: parts[4],
      second: parts[5]) + Int64(parts[6])
  }
}
