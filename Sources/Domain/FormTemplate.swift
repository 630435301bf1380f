/// A form body (`a={payout}&b={external_id}`), by its parts, so that a parameter whose value is
/// missing can be left out: receivers take an empty value for one.
public struct FormTemplate: Hashable, Sendable {
    private struct Part: Hashable, Sendable {
        let template: Template
        /// `name=…`. Any other text stays, whatever its tokens have.
        let isParameter: Bool
    }

    private let parts: [Part]

    /// Only an ampersand of the text itself separates parts, not one inside a token's braces.
    init(_ template: Template) {
        var parts: [[Template.Segment]] = [[]]
        for segment in template.segments {
            guard case .literal(let bytes) = segment else {
                parts[parts.count - 1].append(segment)
                continue
            }
            let pieces = bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
            for (index, piece) in pieces.enumerated() {
                if index > 0 { parts.append([]) }
                if !piece.isEmpty { parts[parts.count - 1].append(.literal(Array(piece))) }
            }
        }
        self.parts = parts.map {
            Part(template: Template(segments: $0), isParameter: Self.isParameter($0))
        }
    }

    private static func isParameter(_ segments: [Template.Segment]) -> Bool {
        guard case .literal(let bytes) = segments.first,
            let end = bytes.firstIndex(of: UInt8(ascii: "=")), end > 0
        else { return false }
        // JSON or prose with an equals sign somewhere is no parameter.
        return bytes[..<end].allSatisfy { byte in
            byte > 32 && byte < 127 && !#""<>{}\"#.utf8.contains(byte)
        }
    }

    var tokens: [TokenUse] { parts.flatMap(\.template.tokens) }

    func fill(_ values: some TokenValues, into bytes: inout [UInt8]) {
        var isFirst = true
        for part in parts {
            let start = bytes.count
            if !isFirst { bytes.append(UInt8(ascii: "&")) }
            if part.template.fill(values, as: .percent, into: &bytes) || !part.isParameter {
                isFirst = false
            } else {
                bytes.removeSubrange(start...)
            }
        }
    }
}
