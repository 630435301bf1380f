@testable import HTTP

/// A whole answer as the client would hand it over.
func answer(_ text: String, milliseconds: Int = 3) -> ClientResponse {
    var parser = ClientResponseParser(isHead: false, bodyReadMax: 65_536, bodyKeptMax: 65_536)
    let progress = Array(text.utf8).withUnsafeBytes { parser.consume($0) }
    precondition(progress == .complete, "not an answer: \(text)")
    return parser.response(
        milliseconds: milliseconds, remoteAddress: "192.0.2.1:80", usedKeptConnection: false)
}
