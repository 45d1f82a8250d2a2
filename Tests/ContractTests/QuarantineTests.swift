import Contract
import Foundation
import TestSupport
import Testing

@Suite("Quarantine records")
struct QuarantineTests {
  let decoder: LineDecoder

  init() throws {
    decoder = LineDecoder(contract: try Repository.contract())
  }

  @Test("A record names exactly the bytes of its line, also behind a mark and carriage returns")
  func slices() throws {
    for end in ["\n", "\r\n"] {
      for mark in [[], LineBoundsTests.mark] {
        var object: [UInt8] = mark
        for item in CorpusTests.cases { object += item.line + Array(end.utf8) }
        for chunks in [[.max], [777]] {
          let decoded = try Decoded(object, chunks: chunks, by: decoder, key: "raw/\"ä\"\n.json")
          #expect(decoded.counts.quarantinedTotal > 100)
          for record in decoded.records {
            let slice = Array(
              object[Int(record.byteOffset)..<Int(record.byteOffset + record.byteLength)])
            #expect(record.sourceObject == "raw/\"ä\"\n.json")
            #expect(record.raw == (record.isComplete ? slice : Array(slice.prefix(65_536))))
            #expect(record.isComplete == (record.reason != .lineTooLong))
          }
        }
      }
    }
  }

  @Test("A record judged again has the verdict that it records")
  func redrive() throws {
    for item in CorpusTests.cases {
      let decoded = try Decoded(Array("\n".utf8) + item.line, by: decoder)
      for record in decoded.records where record.isComplete {
        decoder.begin(sourceObject: record.sourceObject, objectIndex: 3)
        let verdict = record.raw.withUnsafeBytes {
          decoder.decodeLine($0, lineNumber: record.line, byteOffset: record.byteOffset)
        }
        #expect(verdict == .quarantined(record.reason))
        #expect(decoder.finish().quarantined == [record.reason: 1])
        #expect(try Decoded.takeRecords(of: decoder) == [record])
      }
    }
  }

  @Test("A record is one line of JSON whatever the line holds")
  func escaping() throws {
    var line: [UInt8] = Array(0..<0x80).filter { $0 != 0x0A }
    line += Array("é\u{2028}😀".utf8)
    decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
    #expect(decoder.verdict(line) == .quarantined(.malformedJSON))
    #expect(decoder.verdict(line + [0xFF]) == .quarantined(.invalidUnicode))
    let bytes = Array(decoder.quarantine.bytes)
    #expect(decoder.quarantine.recordCount == 2)
    #expect(decoder.quarantine.sizeBytes == bytes.count)
    #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 2)
    let texts = bytes.split(separator: UInt8(ascii: "\n"))
    for (text, name) in zip(texts, ["raw", "raw_base64"]) {
      // Another reader's opinion: the Foundation's.
      let object = try JSONSerialization.jsonObject(with: Data(text))
      let record = try #require(object as? [String: Any])
      #expect(
        Set(record.keys)
          == ["reason", "source_object", "line", "byte_offset", "byte_length", name])
    }
    let foundation = try #require(
      try JSONSerialization.jsonObject(with: Data(texts[0])) as? [String: Any])
    #expect((foundation["raw"] as? String).map { Array($0.utf8) } == line)
    let records = try Decoded.takeRecords(of: decoder)
    #expect(records.map(\.raw) == [line, line + [0xFF]])
    #expect(decoder.quarantine.recordCount == 0)
    #expect(decoder.quarantine.bytes.isEmpty)
  }

  @Test("Bytes of any number come back from Base64")
  func base64() throws {
    for count in 1...12 {
      let line = (0..<count).map { UInt8(0xFF - $0) }
      decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
      #expect(decoder.verdict(line) == .quarantined(.invalidUnicode))
      #expect(
        String(decoding: decoder.quarantine.bytes, as: UTF8.self)
          .contains("\"raw_base64\":\"\(Data(line).base64EncodedString())\""))
      #expect(try Decoded.takeRecords(of: decoder).map(\.raw) == [line])
    }
  }

  @Test("A line that is too long is kept as text unless the cut breaks a letter")
  func cutText() throws {
    let length = (1 << 20) + 10
    for (start, isText) in [("", true), ("x", false)] {
      let line = Array((start + String(repeating: "é", count: length / 2)).utf8)
      decoder.begin(sourceObject: "raw/a.json", objectIndex: 0)
      #expect(decoder.verdict(line) == .quarantined(.lineTooLong))
      let text = String(decoding: decoder.quarantine.bytes, as: UTF8.self)
      #expect(text.contains("\"raw\":") == isText)
      #expect(text.contains("\"raw_base64\":") != isText)
      #expect(try Decoded.takeRecords(of: decoder).map(\.raw) == [Array(line.prefix(65_536))])
    }
  }

  @Test("What is no record is refused with the reason")
  func refused() throws {
    let good =
      #"{"reason":"malformed_json","source_object":"a","line":1,"byte_offset":0,"byte_length":1,"#
    #expect(try QuarantineRecord(parsing: Array("\(good)\"raw\":\"x\"}\n".utf8)).raw == [0x78])
    #expect(try QuarantineRecord(parsing: Array("\(good)\"raw_base64\":\"eA==\"}".utf8)).isComplete)
    let bad = [
      "", "{}", "[]", "\(good)\"raw\":\"x\"", "\(good)\"raw\":\"xy\"}", "\(good)\"raw\":1}",
      "\(good)\"raw_base64\":\"eB==\"}", "\(good)\"raw_base64\":\"eA\"}",
      "\(good)\"raw\":\"x\",\"raw_base64\":\"eA==\"}", "\(good)\"line\":2,\"raw\":\"x\"}",
      "\(good)\"raw\":\"x\"}".replacingOccurrences(of: "malformed_json", with: "bad_mood"),
      "\(good)\"raw\":\"x\"}".replacingOccurrences(of: "\"line\":1", with: "\"line\":0"),
    ]
    for text in bad {
      let error = #expect(throws: ContractError.self, "\(text)") {
        try QuarantineRecord(parsing: Array(text.utf8))
      }
      #expect(error?.code == .malformedQuarantineRecord)
    }
    let error = #expect(throws: ContractError.self) {
      try QuarantineRecord(parsing: Array("{\"reason\":1}".utf8))
    }
    #expect(
      error?.message
        == "This is no quarantine record: its \"reason\" is no string; the file was changed or "
        + "cut, restore it or rebuild the lake from raw.")
  }
}
