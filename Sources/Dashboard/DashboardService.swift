import Contract
import Flow
import Foundation
import HTTPTypes
public import Hummingbird
public import Lake
public import Logging
import NIOCore
public import ServiceLifecycle

/// The dashboard: one page that shows the stream become gold, what it is made of as JSON and as
/// metrics, and whether the pipeline is well.
///
///     GET /            the page, for the view that its query names
///     GET /events      its changes, as server-sent events
///     GET /api/status  what `medallion status --json` prints
///     GET /metrics     Prometheus's text format
///     GET /healthz     200 while the stages move, else 503 and why
///     GET /readyz      200 while what they made can also be relied on
///     GET /assets/…    style, script, charts
///     POST /login      where a token is asked for
///
/// Nothing here changes anything but who is signed in.
public struct DashboardService: Service {
  private let feed: Feed
  private let access: Access
  private let fields: [String]
  private let charts: [UInt8]?

  /// - Parameters:
  ///   - contract: names the fields that metrics tell of.
  ///   - charts: the file of Chart.js; without it the page shows tables alone.
  public init(
    _ monitor: Monitor, contract: ContractFile, charts: String, access: Access, logger: Logger
  ) throws {
    self.access = access
    fields = contract.contract.fields.map(\.name)
    self.charts = FileManager.default.contents(atPath: charts).map(Array.init)
    feed = Feed(monitor: monitor, page: try Page(hasCharts: self.charts != nil), logger: logger)
  }

  /// Keeps the pages up to date until a graceful shutdown.
  public func run() async throws { try await feed.run() }

  public func addRoutes(to router: Router<BasicRequestContext>) {
    // Whoever watches over the process has no token, and is told no more than is needed.
    for (path, isVital) in [("/healthz", true), ("/readyz", false)] {
      router.get(RouterPath(path)) { _, _ in await health(vitalOnly: isVital) }
    }
    if let charts { asset(router, "chart.js", "text/javascript; charset=utf-8", charts) }
    asset(
      router, "dashboard.js", "text/javascript; charset=utf-8", PackageResources.dashboard_js)
    asset(router, "dashboard.css", "text/css; charset=utf-8", PackageResources.dashboard_css)
    asset(router, "icon.svg", "image/svg+xml", PackageResources.icon_svg)
    router.get("/login") { _, _ in loginPage(isWrong: false) }
    router.post("/login") { request, _ in try await login(request) }

    let guarded = router.group().add(middleware: AccessMiddleware(access: access))
    guarded.get("/") { request, _ in
      Response.html(try await feed.document(Self.view(request)))
    }
    guarded.get("/events") { request, _ in try await events(Self.view(request)) }
    guarded.get("/api/status") { _, _ in
      try Response.json(try await feed.currentReading().status)
    }
    guarded.get("/metrics") { _, _ in
      let metrics = Metrics(
        try await feed.currentReading(), fields: fields, viewers: feed.viewers.count)
      return Response.content(
        .ok, "text/plain; version=0.0.4; charset=utf-8", Array(metrics.text.utf8))
    }
  }

  // MARK: -

  private static func view(_ request: Request) -> View {
    View { request.uri.queryParameters.get($0) }
  }

  private func asset(
    _ router: Router<BasicRequestContext>, _ name: String, _ type: String, _ bytes: [UInt8]
  ) {
    router.get(RouterPath("/assets/\(name)")) { _, _ in
      var response = Response.content(.ok, type, bytes)
      response.headers[.cacheControl] = "public, max-age=3600"
      AccessMiddleware.protect(&response)
      return response
    }
  }

  private func health(vitalOnly: Bool) async -> Response {
    struct Answer: Encodable {
      let ok: Bool
      let failing: [String]
    }
    let health: Health
    do {
      health = try await feed.currentReading().health
    } catch {
      health = Health(unreadable: error)
    }
    let failing = health.checks.filter { !$0.ok && ($0.isVital || !vitalOnly) }.map(\.name)
    let answer = Answer(ok: failing.isEmpty, failing: failing)
    let response = try? Response.json(answer, failing.isEmpty ? .ok : .serviceUnavailable)
    return response ?? .plain(.internalServerError, "")
  }

  private func events(_ view: View) async throws -> Response {
    guard let wakes = feed.viewers.join(view) else {
      var response = Response.plain(
        .serviceUnavailable, "too many pages are open: close some, or wait\n")
      response.headers[.retryAfter] = "10"
      return response
    }
    let feed = feed
    let body = ResponseBody { writer in
      try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
      var version = 0
      for await _ in wakes {
        if let (next, message) = try await feed.message(view, since: version) {
          version = next
          try await writer.write(message)
        } else {
          // Shows each side that the other is there.
          try await writer.write(ByteBuffer(string: ":\n\n"))
        }
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
  }

  // MARK: - signing in

  private func loginPage(isWrong: Bool) -> Response {
    var response = Response.html(
      feed.page.login(isWrong: isWrong), isWrong ? .forbidden : .ok)
    AccessMiddleware.protect(&response)
    return response
  }

  private func login(_ request: Request) async throws -> Response {
    let body = try await request.body.collect(upTo: 4096)
    let form = URLComponents(string: "?" + String(buffer: body))
    let token = form?.queryItems?.first { $0.name == "token" }?.value ?? ""
    guard access.isToken(token) else { return loginPage(isWrong: true) }
    var response = Response(
      status: .seeOther, headers: [.location: "/", .setCookie: access.session])
    AccessMiddleware.protect(&response)
    return response
  }
}
