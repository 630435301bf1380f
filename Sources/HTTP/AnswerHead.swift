/// The parts of an answer's head that repeat: status lines, made once, and Date, made each second.
// Unchecked: confined to its server's loop.
final class AnswerHead: @unchecked Sendable {
    private static let firstStatus = 100
    private static let lastStatus = 599

    /// In memory of its own and not in arrays: each answer would count references to those twice.
    private let lines: UnsafeMutableRawBufferPointer
    private let statusLines: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    /// `Date: …\r\n` of the second last given to `updateDate`.
    let dateLine: UnsafeMutableRawBufferPointer
    private var dateSecond = Int64.min

    private static let dateLineBytes = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".utf8.count

    init() {
        let texts = (Self.firstStatus...Self.lastStatus).map { status in
            Array("HTTP/1.1 \(status) \(Self.phrase(status))\r\n".utf8)
        }
        lines = .allocate(byteCount: texts.reduce(0) { $0 + $1.count }, alignment: 1)
        statusLines = .allocate(capacity: texts.count)
        var end = 0
        for (index, text) in texts.enumerated() {
            let view = UnsafeMutableRawBufferPointer(rebasing: lines[end..<end + text.count])
            view.copyBytes(from: text)
            statusLines.initializeElement(at: index, to: UnsafeRawBufferPointer(view))
            end += text.count
        }
        dateLine = .allocate(byteCount: Self.dateLineBytes, alignment: 1)
        updateDate(0)
    }

    deinit {
        lines.deallocate()
        statusLines.deallocate()
        dateLine.deallocate()
    }

    /// A status outside 100...599 is an error of ours, answered as one.
    func statusLine(_ status: Int) -> UnsafeRawBufferPointer {
        let known = status >= Self.firstStatus && status <= Self.lastStatus ? status : 500
        return statusLines[known - Self.firstStatus]
    }

    /// Makes `dateLine` hold for the second of `wallMicros`.
    func updateDate(_ wallMicros: Int64) {
        let second = wallMicros / 1_000_000
        if second == dateSecond { return }
        dateSecond = second
        let text = Array("Date: \(HTTPDate.text(second))\r\n".utf8)
        // A clock before the year 0 or after 9999 keeps the last date that has the fixed length.
        if text.count == dateLine.count { dateLine.copyBytes(from: text) }
    }

    /// Answers without a body, which must not have a Content-Length of one (RFC 9110, 8.6).
    static func hasNoBody(_ status: Int) -> Bool { status < 200 || status == 204 || status == 304 }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        // The phrase may be empty, the space before it not (RFC 9112, 4).
        default: ""
        }
    }
}

/// The fixed form of dates in HTTP (RFC 9110, 5.6.7).
enum HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` for seconds since 1970.
    static func text(_ second: Int64) -> String {
        let days = Int(second >= 0 ? second / 86400 : (second - 86399) / 86400)
        let clock = Int(second) - days * 86400
        // Days to civil date, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = ((days % 7) + 11) % 7  // 1970-01-01 was a Thursday.
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(names[weekday]), \(two(day)) \(months[month - 1]) \(year) "
            + "\(two(clock / 3600)):\(two(clock / 60 % 60)):\(two(clock % 60)) GMT"
    }
}
