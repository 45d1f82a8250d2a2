import Contract
import Foundation
import TestSupport
import Testing

@Suite("The schema")
struct SchemaTests {
  @Test("The repository's schema names the nine fields, in their order and with their types")
  func repositorySchema() throws {
    let contract = try Repository.contract()
    let from = referenceMicros(year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0)
    let end = referenceMicros(year: 2100, month: 1, day: 1, hour: 0, minute: 0, second: 0)
    let text = EventContract.FieldType.string(minBytes: 0, maxBytes: .max)
    let amount = EventContract.FieldType.double(minimum: 0, maximum: .greatestFiniteMagnitude)
    #expect(
      contract.fields == [
        .init(name: "event_id", type: .string(minBytes: 1, maxBytes: 256)),
        .init(name: "ts", type: .timestamp(minMicros: from, endMicros: end)),
        .init(name: "store_id", type: text), .init(name: "customer_id", type: text),
        .init(name: "product_id", type: text), .init(name: "category", type: text),
        .init(name: "price", type: amount),
        .init(name: "quantity", type: .int32(minimum: 1, maximum: .max)),
        .init(name: "total_amount", type: amount),
      ])
    #expect(contract.idIndex == 0)
    #expect(contract.timestampIndex == 1)
  }

  @Test("A property added to the file is a column, of each type, and what breaks it is rescued")
  func addedFields() throws {
    let text = String(
      decoding: try Repository.bytes("contract/purchase_event.schema.json"), as: UTF8.self)
    let added = """
      "properties": {
        "channel": {"type": ["string", "null"], "x-max-bytes": 8, "x-unit": "none"},
        "discount": {"type": ["number", "null"], "minimum": -1, "exclusiveMaximum": 1},
        "points": {"type": ["integer", "null"]},
        "lane": {"type": ["null", "integer"], "exclusiveMinimum": 0, "maximum": 40},
        "gift": {"type": "boolean", "description": "Wrapped."},
        "paid_at": {"type": ["string", "null"], "format": "date-time"},
      """
    let contract = try EventContract(
      schema: Array(text.replacingOccurrences(of: "\"properties\": {", with: added).utf8))
    #expect(
      contract.fields.map(\.name).prefix(7) == [
        "channel", "discount", "points", "lane", "gift", "paid_at", "event_id",
      ])
    #expect(
      contract.fields.prefix(5).map(\.type) == [
        .string(minBytes: 0, maxBytes: 8),
        .double(minimum: -1, maximum: Double(1).nextDown),
        .int64(minimum: .min, maximum: .max), .int32(minimum: 1, maximum: 40), .boolean,
      ])
    let decoder = LineDecoder(contract: contract)
    let good = try Decoded(
      Array(
        event(
          """
          "channel":"web","discount":0.5,"points":5000000000,"lane":"7","gift":true,\
          "paid_at":"2026-11-20T01:00:00+01:00"
          """
        ).utf8), by: decoder)
    let cells = try #require(good.rows.first).cells
    #expect(cells["channel"] == .string("web"))
    #expect(cells["discount"] == .number(0.5))
    #expect(cells["points"] == .int64(5_000_000_000))
    #expect(cells["lane"] == .int32(7))
    #expect(cells["gift"] == .boolean(true))
    #expect(
      cells["paid_at"]
        == .micros(referenceMicros(year: 2026, month: 11, day: 20, hour: 0, minute: 0, second: 0)))
    #expect(cells["_rescued_data"] == .null)
    #expect(cells["price"] == .null)

    let bad =
      #""channel":"télépho","discount":1.0,"points":0.5,"lane":0,"gift":"true","paid_at":"2026""#
    let rescued = try Decoded(Array(event(bad).utf8), by: decoder)
    #expect(rescued.rows[0].cells["_rescued_data"] == .string("{\(bad)}"))
    #expect(
      rescued.counts.rescued == [
        "channel": 1, "discount": 1, "points": 1, "lane": 1, "gift": 1, "paid_at": 1,
      ])
    let empty = try Decoded(Array(event("\"gift\":null,\"lane\":null").utf8), by: decoder)
    #expect(empty.rows[0].cells.values.count { $0 == .null } == cells.count - 2)
  }

  private func schema(_ properties: String, required: String = "[\"ts\",\"event_id\"]") -> String {
    """
    {"type":"object","required":\(required),"properties":{"event_id":{"type":"string"},
    "ts":{"type":"string","format":"date-time"}\(properties.isEmpty ? "" : ",")\(properties)}}
    """
  }

  private func error(_ schema: String) -> ContractError? {
    #expect(throws: ContractError.self, "\(schema)") {
      try EventContract(schema: Array(schema.utf8))
    }
  }

  @Test("A schema that cannot be kept is refused with one sentence that says the mend")
  func refused() throws {
    #expect(throws: Never.self) { try EventContract(schema: Array(schema("").utf8)) }
    let cases: [(String, ContractError.Code)] =
      [
        ("", .malformedSchema), ("[]", .malformedSchema),
        ("{\"type\":\"object\",}", .malformedSchema),
        ("{\"type\":\"object\",\"type\":\"object\"}", .malformedSchema),
        ("{\"type\":\"object\"}", .unsupportedKeyword),
        ("{\"properties\":{}}", .unsupportedKeyword),
        (
          schema("").replacingOccurrences(
            of: "{\"type\":\"object\"", with: "{\"allOf\":[],\"type\":\"object\""),
          .unsupportedKeyword
        ),
        (
          schema("").replacingOccurrences(
            of: "{\"type\":\"object\"", with: "{\"additionalProperties\":false,\"type\":\"object\""),
          .unsupportedKeyword
        ),
        (schema("", required: "[\"event_id\"]"), .requiredFields),
        (
          schema("\"a\":{\"type\":\"string\"}", required: "[\"event_id\",\"ts\",\"a\"]"),
          .requiredFields
        ),
        (
          "{\"type\":\"object\",\"required\":[\"event_id\",\"ts\"],\"properties\":{}}",
          .requiredFields
        ),
        (
          schema("").replacingOccurrences(
            of: "\"event_id\":{\"type\":\"string\"}", with: "\"event_id\":{\"type\":\"integer\"}"),
          .requiredFields
        ),
        (
          schema("").replacingOccurrences(
            of: "\"event_id\":{\"type\":\"string\"}",
            with: "\"event_id\":{\"type\":[\"string\",\"null\"]}"), .requiredFields
        ),
        (
          schema("").replacingOccurrences(of: ",\"format\":\"date-time\"", with: ""),
          .requiredFields
        ),
        (schema("\"a\":{\"type\":\"array\"}"), .unsupportedType),
        (schema("\"a\":{\"type\":[\"string\",\"number\"]}"), .unsupportedType),
        (schema("\"a\":{\"type\":\"null\"}"), .unsupportedType),
        (schema("\"a\":{}"), .unsupportedType), (schema("\"a\":true"), .unsupportedType),
        (schema("\"a\":{\"type\":\"string\",\"pattern\":\"x\"}"), .unsupportedKeyword),
        (schema("\"a\":{\"type\":\"string\",\"format\":\"uuid\"}"), .unsupportedKeyword),
        (schema("\"a\":{\"type\":\"string\",\"enum\":[]}"), .unsupportedKeyword),
        (schema("\"a\":{\"type\":\"boolean\",\"minimum\":0}"), .unsupportedKeyword),
        (schema("\"a\":{\"type\":\"string\",\"x-max-size\":3}"), .unsupportedKeyword),
        (schema("\"a\":{\"type\":\"string\",\"maxLength\":3}"), .invalidBound),
        (schema("\"a\":{\"type\":\"string\",\"maxLength\":3,\"x-max-bytes\":4}"), .invalidBound),
        (schema("\"a\":{\"type\":\"string\",\"minLength\":2}"), .invalidBound),
        (schema("\"a\":{\"type\":\"string\",\"x-max-bytes\":-1}"), .invalidBound),
        (schema("\"a\":{\"type\":\"string\",\"x-min-bytes\":2,\"x-max-bytes\":1}"), .invalidBound),
        (schema("\"a\":{\"type\":\"number\",\"minimum\":\"0\"}"), .invalidBound),
        (schema("\"a\":{\"type\":\"number\",\"minimum\":1e400}"), .invalidBound),
        (schema("\"a\":{\"type\":\"number\",\"minimum\":1,\"maximum\":0}"), .invalidBound),
        (schema("\"a\":{\"type\":\"integer\",\"minimum\":0.5}"), .invalidBound),
        (
          schema("\"a\":{\"type\":\"integer\",\"exclusiveMinimum\":9223372036854775807}"),
          .invalidBound
        ),
        (
          schema("\"a\":{\"type\":\"string\",\"format\":\"date-time\",\"formatMinimum\":\"2000\"}"),
          .invalidBound
        ),
        (schema("\"a b\":{\"type\":\"string\"}"), .invalidName),
        (schema("\"\":{\"type\":\"string\"}"), .invalidName),
        (schema("\"1a\":{\"type\":\"string\"}"), .invalidName),
        (schema("\"a\":{\"type\":\"string\"},\"A\":{\"type\":\"string\"}"), .invalidName),
        (
          schema((0..<255).map { "\"f\($0)\":{\"type\":\"string\"}" }.joined(separator: ",")),
          .invalidName
        ),
      ]
      + ["_rescued_data", "_source_object", "_source_line", "dt", "_load_seq", "DT"].map {
        (schema("\"\($0)\":{\"type\":\"string\"}"), .invalidName)
      }
    for (schema, code) in cases {
      let error = error(schema)
      #expect(error?.code == code, "\(schema)")
      #expect(error?.message.hasSuffix(".") == true)
    }
  }

  @Test("The sentences name the thing and the mend")
  func sentences() {
    #expect(
      error("{\"type\": \"object\",\n  \"properties\": x}")?.message
        == "The schema is not JSON at line 2, column 17: mend the JSON there.")
    #expect(
      error(schema("\"dt\":{\"type\":\"string\"}"))?.message
        == "The property \"dt\" has the name of a column that bronze or staging adds: rename it.")
    #expect(
      error(schema("\"tags\":{\"type\":\"array\"}"))?.message
        == "The property \"tags\" has the type \"array\", which no column can hold: use one of "
        + "\"string\", \"number\", \"integer\" and \"boolean\", with or without \"null\".")
    #expect(
      error(schema("\"a\":{\"type\":\"string\",\"pattern\":\"x\"}"))?.message
        == "The property \"a\" has a \"pattern\" and the decoder does not keep it for a string: "
        + "remove it, or check it in dbt.")
    #expect(
      error(schema("\"a\":{\"type\":\"string\"}", required: "[\"event_id\",\"ts\",\"a\"]"))?.message
        == "The schema's \"required\" must be [\"event_id\", \"ts\"]: every other field may be "
        + "absent or null.")
  }
}
