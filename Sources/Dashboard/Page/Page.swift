import Contract
import Crypto
import Foundation
import Lake
import Ledger
import Mustache
import ObjectStore
import Warehouse

/// Writes the page: what the templates in `Resources` make of what the monitor and gold's reader
/// found. In HTML everything from outside is escaped by the templates.
struct Page: Sendable {
  private let library: MustacheLibrary
  /// A short hash of style and script, so that a browser never mixes two builds.
  let assets: String
  private let hasCharts: Bool

  /// - Parameter hasCharts: whether the chart library is there; without it the tables stand alone.
  init(hasCharts: Bool) throws {
    var library = MustacheLibrary()
    for (name, bytes) in [
      ("page", PackageResources.page_mustache), ("flow", PackageResources.flow_mustache),
      ("verdict", PackageResources.verdict_mustache),
      ("balance", PackageResources.balance_mustache), ("total", PackageResources.total_mustache),
      ("table", PackageResources.table_mustache),
      ("quarantine", PackageResources.quarantine_mustache),
      ("dbt", PackageResources.dbt_mustache), ("health", PackageResources.health_mustache),
      ("login", PackageResources.login_mustache),
    ] {
      try library.register(String(decoding: bytes, as: UTF8.self), named: name)
    }
    self.library = library
    self.hasCharts = hasCharts
    let digest = SHA256.hash(data: PackageResources.dashboard_css + PackageResources.dashboard_js)
    assets = digest.prefix(6).map { String(format: "%02x", $0) }.joined()
  }

  private func render(_ name: String, _ model: Any) -> String {
    library.render(model, withTemplate: name) ?? ""
  }

  // MARK: - parts that are the same for every view

  func common(
    _ reading: Monitor.Reading, samples: [String: [QuarantineSamples.Sample]],
    events: [Ledger.PipeEvent], lastTests: TransformReport?
  ) -> Fragments {
    let status = reading.status
    return [
      "flow": render("flow", ["stages": stages(reading)]),
      "verdict": render("verdict", ["balanced": status.balance.balanced]),
      "balance": render(
        "balance",
        [
          "balanced": status.balance.balanced, "checks": status.balance.checks,
          "command": "medallion verify --lake \(Words.shell(status.lake))",
          "troubles": status.troubles.prefix(20).map { $0 },
        ] as [String: Any]),
      "quarantine": quarantine(status, samples),
      "rescued": table(rescued(status)),
      "health": render("health", ["checks": reading.health.checks]),
      "dbt": dbt(status, lastTests),
      "pipe": table(pipe(events)),
    ]
  }

  private struct Stage {
    let layer: String
    let name: String
    let count: String
    let unit: String
    let rate: String
    let lag: String
    var details: [String] = []
  }

  private func stages(_ reading: Monitor.Reading) -> [Stage] {
    let status = reading.status
    let rates = reading.rates
    let bronzeLag = reading.timings[.bronzeLag]
    let pipeLag = reading.timings[.pipeLag]
    func last(_ timing: Timing?, _ words: String) -> String {
      guard let timing, timing.count > 0 else { return "no lag yet" }
      return "lag \(Words.span(timing.lastSeconds)) \(words)"
    }
    return [
      Stage(
        layer: "raw", name: "Raw", count: Words.count(status.raw.lines), unit: "lines",
        rate: Words.rate(rates.rawLines, "lines"),
        lag: status.raw.lagSeconds.map { "oldest waits \(Words.span($0))" } ?? "nothing waits",
        details: [
          "\(Words.count(status.raw.objects)) objects, \(Words.bytes(status.raw.bytes))",
          "\(Words.count(status.raw.waiting)) objects wait",
        ]),
      Stage(
        layer: "bronze", name: "Bronze", count: Words.count(status.bronze.rows), unit: "rows",
        rate: Words.rate(rates.bronzeRows, "rows"), lag: last(bronzeLag, "from raw"),
        details: [
          "\(Words.count(status.bronze.files)) files",
          "\(Words.count(status.quarantine.lines)) lines in quarantine",
          "\(Words.count(status.blank.lines)) blank lines",
        ]),
      Stage(
        layer: "staging", name: "Staging", count: Words.count(status.staging.rows), unit: "rows",
        rate: Words.rate(rates.stagingRows, "rows"), lag: last(pipeLag, "from bronze"),
        details: [
          "\(Words.count(status.pipe.pending)) files wait",
          status.pipe.isPaused ? "the pipe is PAUSED" : "the pipe is running",
        ]),
      Stage(
        layer: "silver", name: "Silver", count: Words.count(status.silver.rows), unit: "purchases",
        rate: Words.rate(rates.silverRows, "purchases"),
        lag: status.staging.waiting > 0
          ? "\(Words.count(status.staging.waiting)) rows wait" : "nothing waits",
        details: [
          "\(Words.count(status.silver.duplicates)) duplicates",
          "\(Words.count(status.silver.conflicts)) conflicts",
        ]),
      Stage(
        layer: "gold", name: "Gold", count: Words.money(status.gold.revenue), unit: "revenue",
        rate: Words.rate(rates.goldTransactions, "transactions"),
        lag: status.freshnessSeconds.map { "newest event is \(Words.span($0)) old" }
          ?? "no event yet",
        details: ["\(Words.count(status.gold.transactions)) transactions"]),
    ]
  }

  private func quarantine(
    _ status: Status, _ samples: [String: [QuarantineSamples.Sample]]
  ) -> String {
    struct Reason {
      let reason: String
      let count: String
      let meaning: String
      let samples: [QuarantineSamples.Sample]
      let command: String
    }
    let reasons = status.quarantine.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      Reason(
        reason: $0.key, count: Words.count($0.value),
        meaning: QuarantineReason(rawValue: $0.key)?.meaning ?? "",
        samples: samples[$0.key] ?? [],
        command: "medallion redrive --lake \(Words.shell(status.lake)) --reason \($0.key)")
    }
    return render("quarantine", ["isEmpty": reasons.isEmpty, "reasons": reasons] as [String: Any])
  }

  private func rescued(_ status: Status) -> Panel {
    Panel(
      id: "rescued", title: "Rescued members by name",
      empty: "Every member fitted its field.",
      columns: [.init(title: "field", isNumber: false), .init(title: "members")],
      rows: status.bronze.rescued.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(50).map
      {
        Panel.Row(
          name: $0.key, cells: [.init(text: Words.count($0.value), value: String($0.value))])
      })
  }

  private func dbt(_ status: Status, _ lastTests: TransformReport?) -> String {
    struct Nodes {
      let status: String
      let count: Int
    }
    var model: [String: Any] = [:]
    if let dbt = status.dbt {
      var shown: [String: Any] = [
        "ok": dbt.ok, "at": Words.time(dbt.at), "seconds": Words.span(dbt.elapsedSeconds),
        "nodes": dbt.nodes.sorted { $0.key < $1.key }.map {
          Nodes(status: $0.key, count: $0.value)
        },
      ]
      if let failure = dbt.failure { shown["failure"] = failure }
      model["dbt"] = shown
    }
    if let lastTests {
      let failed = ["fail", "error", "runtime error"].compactMap { lastTests.nodes[$0] }
      model["tests"] =
        [
          "ok": lastTests.ok, "at": Words.time(lastTests.at),
          "passed": lastTests.nodes["pass"] ?? 0,
          "failed": failed.reduce(0, +),
        ] as [String: Any]
    }
    return render("dbt", model)
  }

  private func pipe(_ events: [Ledger.PipeEvent]) -> Panel {
    Panel(
      id: "pipe", title: "What the pipe did last", empty: "Nothing was loaded yet.",
      columns: [
        .init(title: "file", isNumber: false), .init(title: "at", isNumber: false),
        .init(title: "rows"), .init(title: "size"), .init(title: "lag"),
        .init(title: "outcome", isNumber: false),
      ],
      rows: events.reversed().map { event in
        Panel.Row(
          name: event.key.text, isOff: event.error != nil,
          cells: [
            .init(
              text: Words.time(
                Timestamp.text(Date(timeIntervalSince1970: Double(event.at) / 1000))),
              isNumber: false),
            .init(text: Words.count(event.rows), value: String(event.rows)),
            .init(text: Words.bytes(Int(event.size)), value: String(event.size)),
            .init(text: Words.span(Double(max(0, event.at - event.received)) / 1000)),
            .init(text: event.error ?? "loaded", isNumber: false),
          ])
      })
  }

  // MARK: - parts that show gold, for one view

  func gold(_ sales: GoldReader.Sales?, _ view: View) -> Fragments {
    var fragments: Fragments = ["total": total(sales)]
    for panel in panels(sales, view) { fragments[panel.id] = table(panel) }
    return fragments
  }

  private func total(_ sales: GoldReader.Sales?) -> String {
    guard let sales else { return render("total", [:] as [String: Any]) }
    return render(
      "total",
      [
        "gold": [
          "revenue": Words.money(sales.total.revenue), "revenueValue": sales.total.revenue,
          "transactions": Words.count(sales.total.transactions),
          "transactionsValue": String(sales.total.transactions),
          "units": Words.count(sales.total.units), "published": Words.time(sales.publishedAt),
        ]
      ])
  }

  private func panels(_ sales: GoldReader.Sales?, _ view: View) -> [Panel] {
    [
      days(sales, view),
      measures(
        "categories", "Categories", "By revenue; a click narrows to one.", chart: "hbar",
        first: "category", sales?.categories ?? []
      ) { line in
        // What has none cannot be asked for.
        if line.id.isEmpty { return nil }
        return view.link {
          $0.category = line.id
          $0.product = nil
          $0.store = nil
        }
      },
      measures(
        "hours", "Revenue by hour",
        "Hours and days of the stores' own time\(view.store == nil ? "" : ", this store alone").",
        chart: "bar", first: "hour", sales?.hours ?? []
      ) { _ in nil },
      measures(
        "products", "Top products", "By revenue; a click shows the days of one.", chart: "hbar",
        first: "product", group: "category", sales?.products ?? []
      ) { line in
        view.link {
          $0.product = line.id
          $0.store = nil
        }
      },
      measures(
        "stores", "Stores", "By revenue; a click shows the days and hours of one.", chart: "hbar",
        first: "store", group: "region", sales?.stores ?? []
      ) { line in
        view.link {
          $0.store = line.id
          $0.product = nil
        }
      },
      measures(
        "segments", "Customers by segment",
        "As of the latest business date, whatever the range: customers, their orders and what they have spent.",
        first: "segment", counts: ("customers", "orders"), sales?.segments ?? []
      ) { _ in nil },
    ]
  }

  /// Days down, categories across; or one store's or product's days.
  private func days(_ sales: GoldReader.Sales?, _ view: View) -> Panel {
    let lines = sales?.days ?? []
    let isDrilled = view.product != nil || view.store != nil
    let groups = isDrilled ? ["revenue"] : Array(Set(lines.map(\.group))).sorted()
    var rows: [Panel.Row] = []
    // Lines of one day follow each other.
    var days: [String] = []
    for line in lines where days.last != line.id { days.append(line.id) }
    for day in days {
      let ofDay = lines.filter { $0.id == day }
      var cells = groups.map { group in
        let amount = isDrilled ? ofDay.first?.revenue : ofDay.first { $0.group == group }?.revenue
        return Panel.Cell(text: amount.map(Words.money) ?? "–", value: amount ?? "0")
      }
      if !isDrilled {
        let sum = ofDay.reduce(Decimal()) { $0 + (Decimal(string: $1.revenue) ?? 0) }
        let text = Self.twoDecimals(sum)
        cells.append(.init(text: Words.money(text), value: text))
      }
      rows.append(
        Panel.Row(
          name: day,
          link: view.link {
            $0.from = day
            $0.to = day
          }, linkID: "day-\(day)", cells: cells))
    }
    let columns =
      isDrilled ? ["revenue"] : groups.map { $0.isEmpty ? "(none)" : $0 } + ["total"]
    return Panel(
      id: "days", title: "Revenue by day" + (isDrilled ? "" : " and category"),
      note: isDrilled
        ? "Days of the stores' own time; a click narrows to one."
        : "Days in UTC; a click narrows to one.",
      chart: isDrilled ? "bar" : "stacked", wide: true,
      columns: [.init(title: "day", isNumber: false)] + columns.map { .init(title: $0) },
      rows: rows)
  }

  private func measures(
    _ id: String, _ title: String, _ note: String, chart: String? = nil, first: String,
    group: String? = nil, counts: (String, String) = ("transactions", "units"),
    _ lines: [GoldReader.Line], link: (GoldReader.Line) -> String?
  ) -> Panel {
    var columns: [Panel.Column] = [.init(title: first, isNumber: false), .init(title: "revenue")]
    if let group { columns.append(.init(title: group, isNumber: false)) }
    columns += [.init(title: counts.0), .init(title: counts.1)]
    return Panel(
      id: id, title: title, note: note, chart: chart, columns: columns,
      rows: lines.enumerated().map { index, line in
        var cells: [Panel.Cell] = [.init(text: Words.money(line.revenue), value: line.revenue)]
        if group != nil { cells.append(.init(text: line.group, isNumber: false)) }
        cells.append(.init(text: Words.count(line.transactions), value: String(line.transactions)))
        cells.append(.init(text: Words.count(line.units), value: String(line.units)))
        let target = link(line)
        return Panel.Row(
          name: line.name, link: target, linkID: target.map { _ in "\(id)-\(index)" }, cells: cells)
      })
  }

  private func table(_ panel: Panel) -> String { render("table", panel) }

  private static func twoDecimals(_ amount: Decimal) -> String {
    var amount = amount
    var rounded = Decimal()
    NSDecimalRound(&rounded, &amount, 2, .plain)
    let text = "\(rounded)"
    guard let point = text.firstIndex(of: ".") else { return text + ".00" }
    return text + String(repeating: "0", count: 2 - text[text.index(after: point)...].count)
  }

  // MARK: - the whole

  func document(_ fragments: Fragments, _ view: View, lake: String) -> String {
    struct Shown {
      let id: String
      let title: String
      let note: String
      let chart: String?
      let wide: Bool
      let html: String
    }
    struct Narrowed {
      let name: String
      let value: String
      let remove: String
    }
    var narrowed: [Narrowed] = []
    func narrow(_ name: String, _ value: String?, _ drop: (inout View) -> Void) {
      guard let value else { return }
      narrowed.append(Narrowed(name: name, value: value, remove: view.link(drop)))
    }
    narrow("category", view.category) { $0.category = nil }
    narrow("store", view.store) { $0.store = nil }
    narrow("product", view.product) { $0.product = nil }
    var model: [String: Any] = fragments
    model["assets"] = assets
    model["charts"] = hasCharts
    model["lake"] = lake
    model["query"] = view.query
    model["view"] = ["from": view.from ?? "", "to": view.to ?? ""]
    model["narrowed"] = narrowed
    model["hasNarrowed"] = !narrowed.isEmpty
    model["panels"] = panels(nil, view).map { panel in
      Shown(
        id: panel.id, title: panel.title, note: panel.note, chart: panel.chart, wide: panel.wide,
        html: fragments[panel.id] ?? "")
    }
    return render("page", model)
  }

  func login(isWrong: Bool) -> String {
    render("login", ["assets": assets, "wrong": isWrong] as [String: Any])
  }
}
