import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// An element of the small XML documents that S3 and STS answer with.
struct XMLTree {
  let name: String
  fileprivate(set) var text = ""
  fileprivate(set) var children: [XMLTree] = []

  /// Nil where `bytes` are not XML.
  init?(parsing bytes: [UInt8]) {
    let builder = Builder()
    let parser = XMLParser(data: Data(bytes))
    parser.delegate = builder
    guard parser.parse(), let root = builder.root else { return nil }
    self = root
  }

  fileprivate init(name: String) { self.name = name }

  /// The first child with this name.
  subscript(name: String) -> XMLTree? { children.first { $0.name == name } }

  /// The text of the first child with this name.
  func text(_ name: String) -> String? { self[name]?.text }

  func all(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }

  private final class Builder: NSObject, XMLParserDelegate {
    private var open: [XMLTree] = []
    private(set) var root: XMLTree?

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      open.append(XMLTree(name: name))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if !open.isEmpty { open[open.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
      if !open.isEmpty { open[open.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      guard let done = open.popLast() else { return }
      if open.isEmpty { root = done } else { open[open.count - 1].children.append(done) }
    }
  }
}
