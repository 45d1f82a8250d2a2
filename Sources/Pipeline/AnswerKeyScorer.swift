import DuckDB
import Foundation
import Lake
import ObjectStore
import Simulator
import Warehouse

/// An answer key, and what has to be asked of the lake to score it.
///
/// Objects that the key names and nobody put, as a kill leaves them, count for nothing; nor do
/// objects of others in the same lake.
struct AnswerKeyScorer {
  private let reading: AnswerKeyReading
  /// The objects that the key tells of; nil of a key that only lists faults.
  private let objects: Set<String>?

  /// - Throws: `LakeError`, which names the file, if it cannot be read.
  init(_ path: String) throws {
    guard let file = FileManager.default.contents(atPath: path) else {
      throw LakeError(.noContract, "there is no answer key at \(path)")
    }
    reading = AnswerKeyReading(file)
    if let line = reading.brokenLine {
      throw LakeError(
        .corruptCommit, "\(path) is no answer key: line \(line) of it cannot be read")
    }
    objects = reading.objects.isEmpty ? nil : Set(reading.objects.map(\.sourceObject))
  }

  /// What the warehouse holds of the key's objects.
  struct WarehouseAnswers {
    struct Loser: Hashable {
      let place: QuarantineFacts.Place
      let original: QuarantineFacts.Place
    }

    /// By verdict: `duplicate` or `conflict`.
    var losers: [String: Set<Loser>] = [:]
    var gold = ObjectTruth()
  }

  /// Asks the warehouse, under the lease of the other facts.
  func answers(
    _ connection: DuckDBConnection, _ tables: WarehouseTables
  ) throws -> WarehouseAnswers {
    var answers = WarehouseAnswers()
    guard tables.contains("silver.purchases_silver"), tables.contains("gold.purchases_gold") else {
      return answers
    }
    try connection.execute("CREATE OR REPLACE TEMP TABLE key_objects (name VARCHAR)")
    let names = objects ?? Set(reading.faults.map(\.sourceObject))
    let sorted = names.sorted()
    for start in stride(from: 0, to: sorted.count, by: 1_000) {
      let values = sorted[start..<min(start + 1_000, sorted.count)]
        .map { "(\($0.sqlLiteral))" }.joined(separator: ", ")
      try connection.execute("INSERT INTO key_objects VALUES \(values)")
    }
    for row in try connection.query(
      """
      SELECT _source_object, _source_line, winner_source_object, winner_source_line, verdict
      FROM retail.silver.purchase_losers_silver
      WHERE _source_object IN (SELECT name FROM key_objects)
      """)
    {
      answers.losers[row[4].text ?? "", default: []].insert(
        .init(place: Self.place(row[0], row[1]), original: Self.place(row[2], row[3])))
    }
    func add(_ sign: Int, _ sql: String) throws {
      for row in try connection.query(sql) {
        let group = ObjectTruth.Group(day: row[0].text ?? "", category: row[1].text)
        answers.gold.groups[group, default: .init()] += .init(
          transactions: sign * (row[2].int ?? 0), revenueCents: Int64(sign * (row[3].int ?? 0)),
          units: sign * (row[4].int ?? 0))
      }
    }
    try add(
      1,
      """
      SELECT CAST(day AS VARCHAR), category, CAST(transactions AS BIGINT),
        CAST(revenue * 100 AS BIGINT), CAST(units_sold AS BIGINT)
      FROM retail.gold.purchases_gold
      """)
    // What others put into the lake is in gold, too.
    try add(
      -1,
      """
      SELECT CAST(day AS VARCHAR), category, count(*),
        CAST(coalesce(sum(total_amount), 0) * 100 AS BIGINT),
        CAST(coalesce(sum(quantity), 0) AS BIGINT)
      FROM retail.silver.purchases_silver
      WHERE _source_object NOT IN (SELECT name FROM key_objects)
      GROUP BY 1, 2
      """)
    answers.gold.groups = answers.gold.groups.filter { $0.value != .init() }
    return answers
  }

  /// - Parameter answers: nil while something is pending.
  func score(
    commits: [Commit], quarantine: QuarantineFacts, answers: WarehouseAnswers?
  ) -> AnswerKeyScore {
    let consumed = Set(commits.flatMap { $0.sources.map(\.key) })
    var score = scoreQuarantine(quarantine, consumed: consumed)
    score.objects = reading.objects.count {
      consumed.contains(ObjectKey(trusted: $0.sourceObject))
    }
    guard let answers else { return score }
    score.duplicates = losers(.duplicate, in: answers, consumed: consumed)
    score.conflicts = losers(.conflict, in: answers, consumed: consumed)
    if objects != nil { scoreGold(answers.gold, consumed: consumed, into: &score) }
    return score
  }

  // MARK: -

  private func scoreQuarantine(
    _ quarantine: QuarantineFacts, consumed: Set<ObjectKey>
  ) -> AnswerKeyScore {
    var score = AnswerKeyScore()
    var left = quarantine.reasons
    var answered: Set<QuarantineFacts.Place> = []
    for answer in reading.faults {
      let object = ObjectKey(trusted: answer.sourceObject)
      guard let expected = answer.reason, consumed.contains(object),
        answered.insert(.init(object: object, line: answer.line)).inserted
      else { continue }
      score.reasons[expected, default: .init()].expected += 1
      let found = left.removeValue(forKey: .init(object: object, line: answer.line))
      if let found { score.reasons[found, default: .init()].found += 1 }
      switch found {
      case expected:
        score.matched += 1
        score.reasons[expected, default: .init()].matched += 1
      case nil: score.missed += 1
      default: score.wrongReason += 1
      }
    }
    // A key that only lists faults knows all objects between its first and its last: keys sort by
    // arrival. What came before or after is not the key's matter.
    let named = objects == nil ? reading.faults.map { ObjectKey(trusted: $0.sourceObject) } : []
    let span = named.min().flatMap { first in named.max().map { first...$0 } }
    for (place, reason) in left {
      let isKeys =
        objects.map { $0.contains(place.object.text) } ?? span?.contains(place.object) ?? false
      guard isKeys else { continue }
      score.unexpected += 1
      score.reasons[reason, default: .init()].found += 1
    }
    return score
  }

  private func losers(
    _ kind: FaultKind, in answers: WarehouseAnswers, consumed: Set<ObjectKey>
  ) -> AnswerKeyScore.Match {
    var expected: Set<WarehouseAnswers.Loser> = []
    for answer in reading.faults where answer.fault == kind {
      let object = ObjectKey(trusted: answer.sourceObject)
      guard consumed.contains(object), let original = answer.originalObject,
        let line = answer.originalLine
      else { continue }
      expected.insert(
        .init(
          place: .init(object: object, line: answer.line),
          original: .init(object: ObjectKey(trusted: original), line: line)))
    }
    let found = answers.losers[kind.rawValue] ?? []
    var match = AnswerKeyScore.Match()
    match.expected = expected.count
    match.found = found.count
    match.matched = expected.intersection(found).count
    return match
  }

  private func scoreGold(
    _ found: ObjectTruth, consumed: Set<ObjectKey>, into score: inout AnswerKeyScore
  ) {
    var truth = ObjectTruth()
    for object in reading.objects
    where consumed.contains(ObjectKey(trusted: object.sourceObject)) {
      truth.add(object.truth)
    }
    var gold = AnswerKeyScore.Gold()
    gold.expectedRevenue = truth.total.revenue
    gold.foundRevenue = found.total.revenue
    gold.rows.expected = truth.groups.count
    gold.rows.found = found.groups.count
    for group in Set(truth.groups.keys).union(found.groups.keys).sorted() {
      let expected = truth.groups[group] ?? .init()
      let actual = found.groups[group] ?? .init()
      if expected == actual {
        gold.rows.matched += 1
      } else if score.differences.count < 5 {
        score.differences.append(
          "gold of \(group.day), \(group.category ?? "no category"): \(actual.transactions) "
            + "transactions, revenue \(actual.revenue), \(actual.units) units; the answer key has "
            + "\(expected.transactions), \(expected.revenue), \(expected.units)")
      }
    }
    score.gold = gold
  }

  private static func place(_ object: DuckDBValue, _ line: DuckDBValue) -> QuarantineFacts.Place {
    .init(object: ObjectKey(trusted: object.text ?? ""), line: line.int ?? 0)
  }
}
