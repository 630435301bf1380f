internal import Domain

/// Where a campaign URL says what its click costs, and how that is read.
struct URLCost: Sendable {
    let parameter: [UInt8]
    private let currencyParameter: [UInt8]?
    /// Where the URL names none.
    private let currency: Currency
    private let reading: CostParameter
    private let loss: ClickLoss

    /// Nil where the URL is not asked.
    init?(_ cost: Cost, _ source: Source) {
        guard case .parameter(let reading) = cost.charge, let parameter = source.costParameter
        else { return nil }
        self.parameter = Array(parameter.utf8)
        currencyParameter = source.costCurrencyParameter.map { Array($0.utf8) }
        currency = cost.currency ?? source.currency
        self.reading = reading
        loss = cost.loss
    }

    /// Read before all else: what a number means may depend on it. Nil where the URL names one that
    /// there is not, an unreplaced macro say: its cost is then not known either.
    func currency(in query: UnsafeRawBufferPointer) -> Currency? {
        guard let currencyParameter else { return currency }
        for (name, value) in QueryScanner(query)
        where !value.isEmpty && name.isParameter(currencyParameter) {
            return Currency(Self.text(value))
        }
        return currency
    }

    func isCurrency(_ name: UnsafeRawBufferPointer) -> Bool {
        currencyParameter.map { name.isParameter($0) } ?? false
    }

    /// A cost that can't be read is not known: the visitor still goes on, and the report shows a
    /// click without a cost.
    func nanos(_ value: UnsafeRawBufferPointer, in currency: Currency?) -> Int64? {
        currency.flatMap { reading.nanos(encoded: value, currency: $0, loss: loss) }
    }

    private static func text(_ raw: UnsafeRawBufferPointer) -> String {
        String(decoding: PercentEncoding.decode(raw, plusIsSpace: true), as: UTF8.self)
    }
}
