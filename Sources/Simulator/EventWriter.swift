/// Writes purchases as lines of NDJSON, byte for byte as the original script's `json.dumps` does.
///
/// The nine members come in the script's order with `", "` and `": "` between, amounts as Python
/// prints the float (`199.99`, `29.9`, `100.0`), `ts` as `isoformat` with all six digits of the
/// microseconds and `+00:00`, and everything beyond ASCII escaped. A line ends with LF. Writing
/// allocates nothing once the buffer has its size.
public struct EventWriter: Sendable {
  /// The most bytes a line can have, its LF included.
  public let maximumLineBytes: Int

  /// About as many bytes as a line has.
  var typicalLineBytes: Int { maximumLineBytes - 200 }

  /// For each product the text from the customer's closing quote up to the price, one after another.
  private let productText: [UInt8]
  /// Where the text of product i begins; that of product i + 1 begins where it ends.
  private let productStarts: [Int]

  /// The day whose text is at hand: events of one day come together.
  private var day: Int64
  private var dayHead: UInt64
  private var dayTail: UInt32

  /// More than all parts of a line that are no product's text can have: 165 bytes of fixed text,
  /// 36 of id, 32 of time, 11 of store, 20 of customer, 10 of quantity, 21 each of two amounts.
  private static let maximumOtherBytes = 384

  /// Makes a writer for events whose `product` is an index into `products`.
  public init(products: [Product]) {
    var text: [UInt8] = []
    var starts = [0]
    var longest = 0
    for product in products {
      text.append(contentsOf: #"", "product_id": "#.utf8)
      JSONText.append(product.id, to: &text)
      text.append(contentsOf: #", "category": "#.utf8)
      JSONText.append(product.category, to: &text)
      text.append(contentsOf: #", "price": "#.utf8)
      longest = max(longest, text.count - starts[starts.count - 1])
      starts.append(text.count)
    }
    productText = text
    productStarts = starts
    maximumLineBytes = Self.maximumOtherBytes + longest
    day = 0
    (dayHead, dayTail) = Self.text(ofDay: 0)
  }

  /// Appends the line of one event.
  ///
  /// The event's time lies in the years 0 to 9999, its price is not negative, and its product is one
  /// of those the writer was made for.
  @inline(__always)
  public mutating func append(_ event: PurchaseEvent, to bytes: inout [UInt8]) {
    let eventDay = CivilDate.daysSinceEpoch(ofMicros: event.timestampMicros)
    if eventDay != day {
      day = eventDay
      (dayHead, dayTail) = Self.text(ofDay: eventDay)
    }
    let parts = Parts(
      event: event, dayHead: dayHead, dayTail: dayTail,
      microsOfDay: event.timestampMicros - eventDay * CivilDate.microsPerDay)
    let product = productStarts[event.product]..<productStarts[event.product + 1]
    // Only values go into the closure: a use of `self` in it would retain both arrays each time.
    productText.withUnsafeBufferPointer { text in
      let productText = text.extracting(product)
      bytes.append(addingCapacity: maximumLineBytes) { span in
        span.withUnsafeMutableBufferPointer { buffer, initializedCount in
          // Sound: the buffer has room for `maximumLineBytes`, more than all the puts together
          // write, since the width of each is bounded by its type or is the product's.
          let start = buffer.baseAddress!
          var cursor = LineCursor(position: start)
          Self.put(parts, productText, into: &cursor)
          initializedCount = cursor.position - start
        }
      }
    }
  }

  /// What the text of a line is made from, but for its product's.
  private struct Parts {
    var event: PurchaseEvent
    var dayHead: UInt64
    var dayTail: UInt32
    var microsOfDay: Int64
  }

  @inline(__always)
  private static func put(
    _ parts: Parts, _ productText: UnsafeBufferPointer<UInt8>, into cursor: inout LineCursor
  ) {
    let event = parts.event
    cursor.put(#"{"event_id": ""#)
    cursor.put(event.id)
    cursor.put(#"", "ts": ""#)
    cursor.put(parts.dayHead)
    cursor.put(parts.dayTail, keeping: 3)
    cursor.putTimeOfDay(UInt64(bitPattern: parts.microsOfDay))
    cursor.put(#"+00:00", "store_id": "S"#)
    if event.store < 1_000 {
      cursor.putThreeDigits(event.store)
    } else {
      cursor.putDecimal(UInt64(event.store))
    }
    if event.customerForm != .canonical {
      cursor.put(#"", "customer_id": ""#)
      cursor.put(event.customerForm, of: event.customer)
    } else if event.customer < 1_000_000 {
      cursor.put(#"", "customer_id": "C"#)
      cursor.putThreeDigits(event.customer / 1_000)
      cursor.putThreeDigits(event.customer % 1_000)
    } else {
      cursor.put(#"", "customer_id": "C"#)
      cursor.putDecimal(UInt64(event.customer))
    }
    cursor.put(productText)
    cursor.putMoney(cents: UInt64(event.priceCents))
    cursor.put(#", "quantity": "#)
    cursor.putDecimal(UInt64(event.quantity))
    cursor.put(#", "total_amount": "#)
    cursor.putMoney(cents: UInt64(event.totalCents))
    cursor.put("}\n")
  }

  /// The eleven bytes of `2026-11-23T` as two little-endian words.
  private static func text(ofDay day: Int64) -> (head: UInt64, tail: UInt32) {
    let date = CivilDate(daysSinceEpoch: Int(day))
    precondition((0...9_999).contains(date.year), "an event's year has four digits")
    var head: UInt64 = 0
    var tail: UInt32 = 0
    for (index, byte) in "\(date)T".utf8.enumerated() {
      if index < 8 {
        head |= UInt64(byte) << UInt64(8 * index)
      } else {
        tail |= UInt32(byte) << UInt32(8 * (index - 8))
      }
    }
    return (head, tail)
  }
}
