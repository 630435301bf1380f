internal import Domain

/// `rates import FILE`: the whole file is read before anything of it is sent.
enum RateImport {
    private static let mebibytesMax = 16
    /// Rates of one request.
    private static let batchMax = 1000
    private static let columns = ["currency", "date", "rate"]
    private static let failuresMax = 20

    static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let rows = try rows(try InputFile.bytes(invocation.operands[0], mebibytesMax: mebibytesMax))
        let api = try invocation.api()
        var done = 0
        while done < rows.count {
            let part = rows[done...].prefix(batchMax)
            do throws(CommandFailure) {
                try api.call("PUT", "/rates", body: .array(part.map(\.document)))
            } catch {
                Terminal.endProgress()
                throw CommandFailure(
                    done == 0 ? error.code : .partlyDone,
                    "\(error.message)\n\(Show.count(done, "rate")) set; the file may be imported "
                        + "again")
            }
            done += part.count
            Terminal.progress("\(done) of \(rows.count) rates")
        }
        Terminal.endProgress()
        Terminal.talk("\(Show.count(rows.count, "rate")) set")
        return .done
    }

    /// Of the same currency and date the last line counts.
    private static func rows(_ bytes: [UInt8]) throws(CommandFailure) -> [ExchangeRate] {
        var reader = CSVReader(bytes)
        let places = try places(try next(&reader))
        var rates = ExchangeRates()
        var batch: [ExchangeRate] = []
        var failures: [String] = []
        while failures.count < failuresMax, let record = try next(&reader) {
            if let rate = rate(record, places) {
                batch.append(rate)
            } else {
                failures.append(
                    "line \(record.line): must be a currency code, a day such as 2026-11-20 and a "
                        + "rate such as 0.9213 with at most nine decimals")
            }
        }
        guard failures.isEmpty else {
            throw CommandFailure(.refused, failures.joined(separator: "\n"))
        }
        rates.set(batch)
        guard !batch.isEmpty else { throw CommandFailure(.refused, "the file has no rates") }
        return rates.all
    }

    private static func next(_ reader: inout CSVReader) throws(CommandFailure) -> CSVRecord? {
        do {
            return try reader.next()
        } catch {
            throw CommandFailure(.refused, error.description)
        }
    }

    /// Where each of the columns stands.
    private static func places(_ heading: CSVRecord?) throws(CommandFailure) -> [Int] {
        let names = (heading?.fields ?? []).map { trimmed($0.lowercased()) }
        let places = columns.compactMap { names.firstIndex(of: $0) }
        guard places.count == columns.count else {
            throw CommandFailure(
                .refused, "the first line must name the columns currency, date and rate")
        }
        return places
    }

    private static func rate(_ record: CSVRecord, _ places: [Int]) -> ExchangeRate? {
        let cells = places.compactMap {
            record.fields.indices.contains($0) ? trimmed(record.fields[$0]) : nil
        }
        guard cells.count == columns.count, let currency = Currency(cells[0]),
            let day = Day(cells[1]), let nanos = ExchangeRate.nanos(cells[2])
        else { return nil }
        return ExchangeRate(currency: currency, day: day, nanos: nanos)
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
