extension ExchangeRate {
    /// Rates of one document.
    public static let documentMax = 5000
    /// Problems that are told of one document.
    private static let problemsMax = 20

    /// `{"currency": "USD", "date": "2026-11-20", "rate": "0.9213"}`
    public var document: JSONValue {
        [
            "currency": .string(currency.code), "date": .string(day.text), "rate": .string(text),
        ]
    }

    /// Reads an array of rates: all of them, or what is wrong with each.
    public static func list(_ document: JSONValue, reporting: Currency) throws(ValidationError)
        -> [ExchangeRate]
    {
        guard case .array(let items) = document else {
            throw ValidationError("", "must be an array of rates")
        }
        guard (1...documentMax).contains(items.count) else {
            throw ValidationError("", "must have 1 to \(documentMax) rates")
        }
        let problems = DocumentProblems()
        var rates: [ExchangeRate] = []
        var known: Set<Place> = []
        for (index, item) in items.enumerated() where problems.errors.count < problemsMax {
            guard let rate = read(item, "[\(index)]", reporting, problems) else { continue }
            if known.insert(Place(currency: rate.currency, day: rate.day)).inserted {
                rates.append(rate)
            } else {
                problems.add("[\(index)]", "repeats a currency and date of another one")
            }
        }
        try problems.throwIfAny()
        return rates
    }

    private struct Place: Hashable {
        let currency: Currency
        let day: Day
    }

    private static func read(
        _ item: JSONValue, _ path: String, _ reporting: Currency, _ problems: DocumentProblems
    ) -> ExchangeRate? {
        var reader = DocumentReader(item, path: path, problems: problems)
        guard item.objectValue != nil else { return nil }
        let currency = Currency(reader.requiredString("currency"))
        let day = Day(reader.requiredString("date"))
        let rate = reader.value("rate")
        let nanos = (rate?.stringValue ?? rate?.numberText).flatMap { Self.nanos($0) }
        reader.finish()
        if currency == nil, item["currency"]?.stringValue?.isEmpty == false {
            reader.fail("currency", "must be an ISO 4217 currency code such as USD")
        } else if currency == reporting {
            reader.fail("currency", "is the reporting currency: its rate is always 1")
        }
        if day == nil, item["date"]?.stringValue?.isEmpty == false {
            reader.fail("date", "must be a day such as 2026-11-20")
        }
        if nanos == nil { reader.fail("rate", rule) }
        guard let currency, let day, let nanos else { return nil }
        return ExchangeRate(currency: currency, day: day, nanos: nanos)
    }
}
