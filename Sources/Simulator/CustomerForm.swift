/// How a customer's id stands in an event: as it should, or as another system has it.
public enum CustomerForm: UInt8, Codable, Hashable, Sendable {
  /// `C000042`
  case canonical
  /// `c000042`
  case lowerCase
  /// ` C000042 `
  case padded
  /// The id of the web shop, `WEB-2953654`: another number, that only a list can resolve.
  case web
  /// The id of the app, `APP-B17F3A`.
  case app

  /// The name of the channel that has ids of its own.
  var channel: String? {
    switch self {
    case .canonical, .lowerCase, .padded: nil
    case .web: "web"
    case .app: "app"
    }
  }

  /// The id of a customer in this form, at most 20 bytes of ASCII.
  public func text(of number: UInt32) -> String {
    let digits = CivilDate.padded(Int(number), to: 6)
    switch self {
    case .canonical: return "C\(digits)"
    case .lowerCase: return "c\(digits)"
    case .padded: return " C\(digits) "
    case .web:
      // A prime that does not divide ten million: no two customers share an id.
      return "WEB-" + CivilDate.padded(Int(UInt64(number) * 7_368_787 % 10_000_000), to: 7)
    case .app:
      let code = (UInt64(number) * 0x9e_3779 + 0x5a_17c3) & 0xff_ffff
      let hexadecimal = String(code, radix: 16, uppercase: true)
      return "APP-" + String(repeating: "0", count: 6 - hexadecimal.utf8.count) + hexadecimal
    }
  }
}
