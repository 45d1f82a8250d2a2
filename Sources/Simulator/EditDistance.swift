/// Finds the name that a mistyped one was meant to be.
enum EditDistance {
  /// The name with the fewest letters to change, add or leave out; nil where none is near.
  static func nearest(to name: String, among names: [String]) -> String? {
    let best = names.filter { $0 != name }
      .map { ($0, distance(name.lowercased(), $0)) }.min { $0.1 < $1.1 }
    guard let (candidate, distance) = best, distance <= max(1, candidate.count / 3) else {
      return nil
    }
    return candidate
  }

  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let cost = min(row[column], row[column + 1]) + 1
        (row[column + 1], diagonal) = (
          min(cost, diagonal + (letter == other ? 0 : 1)), row[column + 1]
        )
      }
    }
    return row[right.count]
  }
}
