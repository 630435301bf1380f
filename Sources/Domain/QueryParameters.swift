/// A query's or an urlencoded form's parameters, decoded, in their order.
///
/// Names are text (bytes that aren't UTF-8 become U+FFFD, they match nothing anyway); values are
/// the exact bytes. `+` is a space.
public struct QueryParameters: Sendable {
    /// Pairs beyond this many are ignored, which `isTruncated` tells.
    public static let pairsMax = 1_000

    public private(set) var pairs: [(name: String, value: [UInt8])] = []
    public private(set) var isTruncated = false

    public init() {}

    public init(parsing bytes: UnsafeRawBufferPointer) {
        for (name, value) in QueryScanner(bytes) {
            let decodedName = PercentEncoding.decode(name, plusIsSpace: true)
            append(
                name: String(decoding: decodedName, as: UTF8.self),
                value: PercentEncoding.decode(value, plusIsSpace: true))
            if isTruncated { return }
        }
    }

    public init(parsing text: String) {
        var text = text
        self = text.withUTF8 { QueryParameters(parsing: UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(name: String, value: [UInt8]) {
        guard pairs.count < QueryParameters.pairsMax else {
            isTruncated = true
            return
        }
        pairs.append((name, value))
    }

    /// The first value of that name, ASCII letters compared without case.
    public func value(named name: String) -> [UInt8]? {
        for pair in pairs where QueryParameters.areEqual(pair.name, name) { return pair.value }
        return nil
    }

    /// The same as text; bytes that aren't UTF-8 become U+FFFD.
    public func text(named name: String) -> String? {
        value(named: name).map { String(decoding: $0, as: UTF8.self) }
    }

    static func areEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy {
                ASCII.lowercased($0) == ASCII.lowercased($1)
            }
    }
}
