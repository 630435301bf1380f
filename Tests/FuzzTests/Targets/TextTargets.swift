@testable import Domain

extension FuzzTarget {
    /// Queries and urlencoded forms: percent-encoding there and back.
    static let query = FuzzTarget(name: "query") { input in
        let bytes = Array(input)
        var encoded: [UInt8] = []
        PercentEncoding.append(bytes, to: &encoded)
        try require(
            encoded.allSatisfy { PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "%") },
            "a byte that ends a component: \(encoded)")
        let decoded = encoded.withUnsafeBytes { PercentEncoding.decode($0, plusIsSpace: true) }
        try require(decoded == bytes, "\(decoded) comes back")
        var raw: [UInt8] = []
        PercentEncoding.appendRaw(bytes, to: &raw)
        try require(raw.allSatisfy { $0 > 32 && $0 < 127 }, "a byte that no URL has: \(raw)")

        let parameters = QueryParameters(parsing: input)
        try require(parameters.pairs.count <= QueryParameters.pairsMax, "more pairs than may be")
        var written: [UInt8] = []
        for pair in parameters.pairs {
            if !written.isEmpty { written.append(UInt8(ascii: "&")) }
            PercentEncoding.append(pair.name.utf8, to: &written)
            written.append(UInt8(ascii: "="))
            PercentEncoding.append(pair.value, to: &written)
        }
        let again = written.withUnsafeBytes { QueryParameters(parsing: $0) }
        // What is decoded to no name at all, as invalid bytes never are, keeps its value.
        try require(
            again.pairs.elementsEqual(parameters.pairs) {
                $0.name == $1.name && $0.value == $1.value
            },
            "\(again.pairs) for \(parameters.pairs)")
        _ = try? DirectClick(query: input)
    }

    /// JSON: what is read is written so that it's read alike, and so that it can stand in a page.
    static let json = FuzzTarget(name: "json") { input in
        var input = FuzzInput(input)
        let flags = input.byte()
        let bytes = input.remaining()
        let depth = flags & 1 == 0 ? 64 : 512
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes, maxDepth: depth, allowsDuplicates: flags & 2 != 0)
        } catch {
            try require(
                error.offset <= bytes.count && error.line > 0 && error.column > 0, "\(error)")
            return
        }
        for pretty in [false, true] {
            let written = value.encodedBytes(pretty: pretty)
            try require(
                written.allSatisfy {
                    ($0 >= 32 || $0 == 10 && pretty) && $0 != 127 && $0 != UInt8(ascii: "<")
                        && $0 != UInt8(ascii: ">")
                }, "a byte that must be escaped: \(String(decoding: written, as: UTF8.self))")
            try require(
                !String(decoding: written, as: UTF8.self).unicodeScalars.contains {
                    (0x80..<0xA0).contains($0.value) || (0x2028...0x202E).contains($0.value)
                        || (0x2066...0x2069).contains($0.value)
                }, "a mark that must be escaped: \(String(decoding: written, as: UTF8.self))")
            let again = try JSONValue(
                parsing: written, maxDepth: depth, allowsDuplicates: flags & 2 != 0)
            try require(again == value, "\(again) for \(value)")
        }
    }

    /// Amounts: what is read is written so that it's read alike.
    static let amount = FuzzTarget(name: "amount") { input in
        var input = FuzzInput(input)
        let flags = input.byte()
        let format = NumberFormat.allCases[Int(flags & 3) % NumberFormat.allCases.count]
        let text = String(decoding: input.remaining(), as: UTF8.self)
        if let nanos = try? Amount.parse(text, format: format) {
            let written = Amount.format(nanos)
            let again = try Amount.parse(written, format: .point)
            try require(again == nanos, "\(written) is \(again), not \(nanos)")
            for decimals in 0...9 {
                // Rounded up, the largest are more than can be read.
                let text = Amount.format(nanos, decimals: decimals)
                guard let short = try? Amount.parse(text, format: .point) else { continue }
                let unit = (decimals..<9).reduce(Int64(1)) { unit, _ in unit * 10 }
                let (difference, overflow) = short.subtractingReportingOverflow(nanos)
                try require(
                    !overflow && difference.magnitude <= unit.magnitude / 2,
                    "\(short) for \(nanos) with \(decimals) decimals")
            }
            let fine = try Amount.parseFine(text, format: format, minorDigits: 0)
            let rounded = Int128(nanos) * Amount.finePerNano - fine
            try require(
                rounded.magnitude <= Amount.finePerNano.magnitude / 2, "\(fine) for \(nanos)")
        }
        let currency = Currency.all[Int(flags >> 2) % Currency.all.count]
        _ = try? Amount.parseMinor(text, currency: currency, format: format)
        _ = try? Amount.parseFine(text, format: format, minorDigits: currency.minorDigits)
    }

    /// CSV: records are read alike when every field is quoted.
    static let csv = FuzzTarget(name: "csv") { input in
        var reader = CSVReader(Array(input))
        var records: [CSVRecord] = []
        var written: [UInt8] = []
        var line = 0
        do {
            while let record = try reader.next() {
                try require(record.line > line, "line \(record.line) after \(line)")
                try require(
                    !record.fields.isEmpty && record.fields.count <= CSVReader.fieldsMax,
                    "\(record.fields.count) fields")
                line = record.line
                records.append(record)
                for (index, field) in record.fields.enumerated() {
                    if index > 0 { written.append(UInt8(ascii: ",")) }
                    written.append(UInt8(ascii: "\""))
                    for byte in field.utf8 {
                        written.append(byte)
                        if byte == UInt8(ascii: "\"") { written.append(byte) }
                    }
                    written.append(UInt8(ascii: "\""))
                }
                written += [13, 10]
            }
        } catch let error as CSVError {
            try require(error.line >= line, "\(error) after line \(line)")
        }
        var again = CSVReader(written)
        for record in records {
            let other = try again.next()
            try require(other?.fields == record.fields, "\(record) is \(String(describing: other))")
        }
        try require(try again.next() == nil, "there is more than was written")
    }

    /// The small texts that requests, documents and answers carry.
    static let value = FuzzTarget(name: "value") { input in
        let bytes = Array(input)
        let text = String(decoding: bytes, as: UTF8.self)
        func check<Value: Equatable>(
            _ value: Value?, _ written: (Value) -> String, _ read: (String) -> Value?
        ) throws {
            guard let value else { return }
            let text = written(value)
            try require(
                read(text) == value, "\(text) is \(String(describing: read(text))), not \(value)")
            try require(text.utf8.allSatisfy { $0 >= 32 && $0 < 127 }, "\(text) isn't plain")
        }
        try check(IPAddress(text), \.text) { IPAddress($0) }
        try check(IPNetwork(text), \.text) { IPNetwork($0) }
        try check(HostName(text), \.text) { HostName($0) }
        try check(ClickID(text), \.text) { ClickID($0) }
        try check(EntityKey(text), \.text) { EntityKey($0) }
        try check(Currency(text), \.code) { Currency($0) }
        try check(Country(text), { String(describing: $0) }) { _ in Country(text) }
        try check(Day(text), \.text) { Day($0) }
        try check(Instant(rfc3339: text), \.rfc3339) { Instant(rfc3339: $0) }
        try check(Instant(httpDate: text), \.httpDate) { Instant(httpDate: $0) }
        try check(Base64.decode(text), Base64.encode) { Base64.decode($0) }
        try check(ConversionID(text), \.description) { ConversionID($0) }
        try check(WebhookSecret(text), \.text) { WebhookSecret($0) }
        let pause = RetryAfter.parse(input, now: Instant(micros: 1_795_000_000_000_000))
        try require(pause ?? .zero >= .zero, "a pause of \(String(describing: pause))")
        _ = ClickCookie.clickID(in: input)
        _ = VisitorCookie.visitor(in: input)
        _ = UnreplacedMacro.matches(text)
        let proxies = ClientAddress(
            trustedProxies: [IPNetwork("10.0.0.0/8"), IPNetwork("::1")].compactMap { $0 })
        let peer = IPAddress("10.1.2.3")
        let client = proxies.client(peer: peer, fields: 1) { _ in input }
        try require(client != nil, "nobody is the client")
        _ = EventName.normalized(text)
        _ = NearestName.suggestion(for: text, among: ["alpha", "beta"])
    }
}
