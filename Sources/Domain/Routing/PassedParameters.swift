/// Which parameters of the campaign URL are appended to the address a visitor is sent to.
public enum PassedParameters: Hashable, Sendable {
    /// Those of these names, in this order; may be empty.
    case named([String])
    /// All but the ones that the source's external ID and cost come in, and the cost's currency.
    case all

    /// As many as are kept of a campaign URL.
    static let namesMax = 40
    static let nameBytesMax = 64

    init(_ campaign: inout DocumentReader) {
        self = .named([])
        if case .string(let word) = campaign.value("pass_params") {
            if word == "all" {
                self = .all
            } else {
                campaign.fail("pass_params", "must be a list of names, or \"all\"")
            }
            return
        }
        let names = campaign.strings("pass_params", max: Self.namesMax)
        for (index, name) in names.enumerated() {
            if name.utf8.count > Self.nameBytesMax {
                campaign.fail(
                    "pass_params[\(index)]", "must be at most \(Self.nameBytesMax) bytes long")
            } else if names[..<index].contains(name) {
                campaign.fail("pass_params[\(index)]", "\"\(name)\" is there twice")
            }
        }
        self = .named(names)
    }

    var document: JSONValue {
        switch self {
        case .named(let names): .array(names.map { .string($0) })
        case .all: "all"
        }
    }
}

/// Appends a source's parameters to addresses, by a campaign's choice.
public struct ParameterPassing: Sendable {
    /// Nil: all but `kept`.
    private let names: [[UInt8]]?
    private let kept: [[UInt8]]

    public typealias Parameter = (name: [UInt8], value: [UInt8])

    /// Nil where nothing is passed.
    public init?(_ choice: PassedParameters, from source: Source) {
        switch choice {
        case .named(let names):
            if names.isEmpty { return nil }
            self.names = names.map { Array($0.utf8) }
        case .all: names = nil
        }
        kept = [
            source.externalIDParameter, source.costParameter, source.costCurrencyParameter,
        ].compactMap { $0.map { Array($0.utf8) } }
    }

    /// Appends to the query of the address that `bytes` holds from `start` on. A parameter that the
    /// address has, however it is spelled, is left alone: an offer's own ones can't be replaced from
    /// outside. A name that was sent twice is passed twice.
    ///
    /// - Parameter parameters: decoded, in the order of the campaign URL.
    public func append(
        _ parameters: [Parameter], toAddressFrom start: Int, in bytes: inout [UInt8]
    ) {
        var fragment: [UInt8] = []
        if let mark = bytes[start...].firstIndex(of: UInt8(ascii: "#")) {
            fragment = Array(bytes[mark...])
            bytes.removeSubrange(mark...)
        }
        let question = bytes[start...].firstIndex(of: UInt8(ascii: "?"))
        let present = question.map { Self.names(inQuery: bytes[($0 + 1)...]) } ?? []
        var separator: UInt8? = UInt8(ascii: "?")
        if question != nil {
            let endsOpen = question == bytes.count - 1 || bytes.last == UInt8(ascii: "&")
            separator = endsOpen ? nil : UInt8(ascii: "&")
        }
        for (name, value) in chosen(from: parameters)
        where !present.contains(Self.asRead(name)) {
            if let separator { bytes.append(separator) }
            separator = UInt8(ascii: "&")
            PercentEncoding.append(name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            PercentEncoding.append(value, to: &bytes)
        }
        bytes.append(contentsOf: fragment)
    }

    private func chosen(from parameters: [Parameter]) -> [Parameter] {
        guard let names else {
            return parameters.filter { parameter in !kept.contains(parameter.name) }
        }
        return names.flatMap { name in parameters.filter { $0.name == name } }
    }

    private static func names(inQuery query: ArraySlice<UInt8>) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        query.withUnsafeBytes { query in
            for (name, _) in QueryScanner(query) {
                names.insert(asRead(PercentEncoding.decode(name, plusIsSpace: true)))
            }
        }
        return names
    }

    /// As a receiver may read a name: in any case, and as PHP makes a variable of it, to which
    /// ` sub.id[]` is `sub_id` (php.net, "Variables From External Sources").
    private static func asRead(_ name: [UInt8]) -> [UInt8] {
        var read = name.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 }
        let bracket = read.firstIndex(of: UInt8(ascii: "["))
        if let bracket, read[bracket...].contains(UInt8(ascii: "]")) { read = read[..<bracket] }
        return read.map { byte in
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "."), UInt8(ascii: "["): UInt8(ascii: "_")
            default: ASCII.lowercased(byte)
            }
        }
    }
}

extension FlowVersion {
    /// What was passed on while it was in force; none where that can't be told.
    public var passedParameters: PassedParameters {
        var reader = DocumentReader(document, problems: DocumentProblems())
        return PassedParameters(&reader)
    }
}

extension Click {
    /// The campaign URL's parameters, its external ID and cost among them, as far as they are kept:
    /// what `ParameterPassing` chooses from.
    public func parametersToPass(from source: Source, costIsParameter: Bool)
        -> [ParameterPassing.Parameter]
    {
        var all: [ParameterPassing.Parameter] = []
        if let name = source.externalIDParameter, let externalID {
            all.append((Array(name.utf8), externalID))
        }
        if costIsParameter, let name = source.costParameter, let cost {
            all.append((Array(name.utf8), Array(cost.amountText.utf8)))
        }
        return all + parameters.map { (Array($0.name.utf8), $0.value) }
    }
}
