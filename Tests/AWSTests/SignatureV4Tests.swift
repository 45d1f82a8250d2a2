import AWS
import Foundation
import Testing

/// Vectors of the signature: those that AWS publishes in its documentation and test suite, and in
/// `signatures.json` what botocore, the vendor's own signer, makes of requests that try its rules.
struct SignatureV4Tests {
  private static let suiteKeys = AWSCredentials(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  private static let documentationKeys = AWSCredentials(
    accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
  )

  @Test func `the simplest request of the test suite is signed`() throws {
    let signature = SignatureV4(region: "us-east-1", service: "service")
    let request = SignatureV4.Request(
      method: "GET", path: "/", headers: [("Host", "example.amazonaws.com")])
    let headers = signature.headers(
      for: request, credentials: Self.suiteKeys, at: try #require(date("20150830T123600Z")))
    #expect(
      headers.first { $0.name == "authorization" }?.value
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )
  }

  /// The examples of *Authenticating requests: using the Authorization header*, S3 API reference.
  @Test(arguments: [
    (
      SignatureV4.Request(
        method: "GET", path: "/test.txt",
        headers: [("host", "examplebucket.s3.amazonaws.com"), ("range", "bytes=0-9")]),
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    ),
    (
      SignatureV4.Request(
        method: "PUT", path: "/test%24file.text",
        headers: [
          ("host", "examplebucket.s3.amazonaws.com"), ("date", "Fri, 24 May 2013 00:00:00 GMT"),
          ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ], payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    ),
    (
      SignatureV4.Request(
        method: "GET", path: "/", query: [("lifecycle", "")],
        headers: [("host", "examplebucket.s3.amazonaws.com")]),
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    ),
    (
      SignatureV4.Request(
        method: "GET", path: "/", query: [("max-keys", "2"), ("prefix", "J")],
        headers: [("host", "examplebucket.s3.amazonaws.com")]),
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    ),
  ])
  func `the examples of the documentation are signed`(
    _ request: SignatureV4.Request, signature: String
  ) throws {
    let headers = SignatureV4(region: "us-east-1", service: "s3").headers(
      for: request, credentials: Self.documentationKeys,
      at: try #require(date("20130524T000000Z")))
    let found = try #require(headers.first { $0.name == "authorization" }?.value)
    #expect(found.hasSuffix("Signature=\(signature)"))
  }

  @Test func `what botocore signs is signed in the same way`() throws {
    struct Case: Decodable {
      let name, service, region, method, path, date, authorization, payloadHash: String
      let token: String?
      let query, headers: [[String]]

      enum CodingKeys: String, CodingKey {
        case name, service, region, method, path, date, authorization, token, query, headers
        case payloadHash = "payload_hash"
      }
    }
    let url = try #require(Bundle.module.url(forResource: "signatures", withExtension: "json"))
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
    #expect(cases.count > 20)
    for each in cases {
      let request = SignatureV4.Request(
        method: each.method, path: each.path, query: each.query.map { ($0[0], $0[1]) },
        headers: each.headers.map { ($0[0], $0[1]) }, payloadHash: each.payloadHash)
      let keys = AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        sessionToken: each.token)
      let headers = SignatureV4(region: each.region, service: each.service).headers(
        for: request, credentials: keys, at: try #require(date(each.date)))
      #expect(
        headers.first { $0.name == "authorization" }?.value == each.authorization, "\(each.name)")
    }
  }

  @Test func `no description shows a secret`() {
    let keys = AWSCredentials(
      accessKeyID: "AKID", secretAccessKey: "secret!", sessionToken: "token!")
    for text in [String(describing: keys), String(reflecting: keys), "\(keys)"] {
      #expect(!text.contains("secret!") && !text.contains("token!"))
    }
    var dumped = ""
    dump(keys, to: &dumped)
    #expect(!dumped.contains("secret!"))
  }

  private func date(_ text: String) -> Date? {
    let digits = text.filter(\.isNumber)
    func number(_ range: Range<Int>) -> Int? { Int(String(Array(digits)[range])) }
    return DateComponents(
      calendar: .utc, timeZone: .gmt, year: number(0..<4), month: number(4..<6), day: number(6..<8),
      hour: number(8..<10), minute: number(10..<12), second: number(12..<14)
    ).date
  }
}
