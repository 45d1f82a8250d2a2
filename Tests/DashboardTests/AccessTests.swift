import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Dashboard

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
    for (fields, verdict) in [
      ([.authorization: "Bearer 0123456789abcdef"], Access.Verdict.admitted),
      ([.authorization: "Bearer 0123456789abcdeF"], .noToken),
      ([.authorization: "Basic 0123456789abcdef"], .noToken),
      ([.cookie: session], .admitted), ([.cookie: "a=b; \(session)"], .admitted),
      ([.cookie: session.dropLast(6) + "AAAAA="], .noToken),
      ([.cookie: "medallion_session="], .noToken),
    ] as [(HTTPFields, Access.Verdict)] {
      #expect(access.judge(request(authority: "any", fields)) == verdict, "\(fields)")
    }
    #expect(Access(token: "another-token-of-16").session != access.session)
  }
}
