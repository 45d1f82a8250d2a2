import AWS
import ObjectStore
import Testing

struct S3EventMessageTests {
  private let place: S3Location

  init() throws { place = try S3Location("s3://lake-bucket/retail") }

  private func record(
    key: String, bucket: String = "lake-bucket", name: String = "ObjectCreated:Put",
    version: String = "2.1"
  ) -> String {
    """
    {"eventVersion":"\(version)","eventSource":"aws:s3","awsRegion":"eu-west-1","eventName":"\(name)",
     "s3":{"s3SchemaVersion":"1.0","bucket":{"name":"\(bucket)","arn":"arn:aws:s3:::x"},
     "object":{"key":"\(key)","size":12,"eTag":"x","sequencer":"0055AED6DCD90281E5"},"new":{"a":1}}}
    """
  }

  private func keys(_ records: String...) -> [String]? {
    S3EventMessage.keys(in: "{\"Records\":[\(records.joined(separator: ","))]}", at: place)?
      .map(\.text)
  }

  @Test func `keys are decoded as forms are encoded`() {
    #expect(
      keys(
        record(key: "retail/raw/yyyy%3D2026/mm%3D11/a+b.json"),
        record(key: "retail/raw/%C3%A9%2B.json", name: "ObjectCreated:CompleteMultipartUpload"))
        == ["raw/yyyy=2026/mm=11/a b.json", "raw/é+.json"])
  }

  @Test func `what is not of this lake is passed over`() {
    #expect(keys(record(key: "other/raw/a.json")) == [])
    #expect(keys(record(key: "retail/raw/a.json", bucket: "another")) == [])
    #expect(keys(record(key: "retail/raw/a.json", name: "ObjectRemoved:Delete")) == [])
    #expect(keys(record(key: "retail/")) == [])
  }

  @Test func `the test message tells of nothing`() {
    let body = #"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"lake-bucket"}"#
    #expect(S3EventMessage.keys(in: body, at: place) == [])
  }

  @Test func `the envelope of a topic is opened`() throws {
    let inner = "{\"Records\":[\(record(key: "retail/raw/a.json"))]}"
      .replacing("\"", with: "\\\"").replacing("\n", with: "")
    let body = "{\"Type\":\"Notification\",\"MessageId\":\"1\",\"Message\":\"\(inner)\"}"
    #expect(S3EventMessage.keys(in: body, at: place)?.map(\.text) == ["raw/a.json"])
  }

  @Test(arguments: ["", "hello", "{}", "[]", #"{"Records":[{"eventSource":"aws:sns"}]}"#])
  func `what is no message of S3 is left`(_ body: String) {
    #expect(S3EventMessage.keys(in: body, at: place) == nil)
  }

  @Test func `another major version is left`() {
    #expect(keys(record(key: "retail/raw/a.json", version: "3.0")) == nil)
    #expect(keys(record(key: "retail/raw/a.json", version: "2.9")) == ["raw/a.json"])
  }
}
