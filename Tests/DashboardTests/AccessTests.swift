import Dashboard
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@Suite struct AccessTests {
  private func request(authority: String, _ fields: HTTPFields = [:]) -> Request {
    Request(
      head: HTTPRequest(
        method: .get, scheme: "http", authority: authority, path: "/", headerFields: fields),
      body: RequestBody(buffer: ByteBuffer()))
  }

  @Test(arguments: ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:8080"])
  func loopbackIsReachedByItsNames(_ authority: String) {
    #expect(Access(token: nil).judge(request(authority: authority)) == .admitted)
  }

  @Test(arguments: [
    "", "evil.example", "127.0.0.1.evil.example", "evil.example:8080", "::1", "a@localhost",
  ])
  func anotherNameIsRefused(_ authority: String) {
    #expect(Access(token: nil).judge(request(authority: authority)) == .wrongHost)
  }

  @Test func aTokenOrItsSessionAdmits() throws {
    let access = Access(token: "0123456789abcdef")
    let session = try #require(access.session.split(separator: ";").first).description
    #expect(!session.contains("0123456789abcdef"))
    #expect(access.judge(request(authority: "any")) == .noToken)
    let cases: [(name: HTTPField.Name, value: String, verdict: Access.Verdict)] = [
      (.authorization, "Bearer 0123456789abcdef", .admitted),
      (.authorization, "Bearer 0123456789abcdeF", .noToken),
      (.authorization, "Basic 0123456789abcdef", .noToken),
      (.cookie, session, .admitted), (.cookie, "a=b; \(session)", .admitted),
      (.cookie, session.dropLast(6) + "AAAAA=", .noToken),
      (.cookie, "medallion_session=", .noToken),
    ]
    for (name, value, verdict) in cases {
      var fields = HTTPFields()
      fields[name] = value
      #expect(access.judge(request(authority: "any", fields)) == verdict, "\(value)")
    }
    #expect(Access(token: "another-token-of-16").session != access.session)
  }
}
