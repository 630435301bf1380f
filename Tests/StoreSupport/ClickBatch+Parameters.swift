import Domain
public import Store

extension ClickBatch {
    /// Keeps the parameters of a click as its request would have brought them, byte for byte.
    public mutating func keep(_ parameters: [(name: String, value: [UInt8])]) -> (
        names: NewClick.Bytes, values: NewClick.Bytes
    ) {
        let encoded = parameters.map { name, value in
            (name: Self.encoded(name.utf8), value: Self.encoded(value))
        }
        let request = RequestParameters()
        let bytes = encoded.reduce(0) { $0 + max($1.name.count, $1.value.count) }
        request.begin(bytes: bytes, pairs: encoded.count)
        for (name, value) in encoded {
            name.withUnsafeBytes { name in
                value.withUnsafeBytes { request.append(name: name, value: $0) }
            }
        }
        return (keep(request.names), keep(request.values))
    }

    private static func encoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var encoded: [UInt8] = []
        PercentEncoding.append(bytes, to: &encoded)
        return encoded
    }
}
