internal import Domain
internal import Glibc
internal import Net
internal import Synchronization

/// Events for the operator on stderr, one per line: time, level, name, `key=value`.
///
/// May be called from any thread, the loops' and the writers' too: it waits for nobody who reads
/// stderr, but for a terminal in the middle of a line. While that takes nothing, lines are dropped,
/// and the next one that goes out is preceded by their number. A line is one `write`, so lines never mix. Values are escaped, so that nothing a
/// visitor sent can forge a line. Never pass a secret.
struct Log: Sendable {
    enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warn, error

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warn: 2
            case .error: 3
            }
        }

        static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    }

    enum Format: String, CaseIterable, Sendable { case auto, json, text }

    /// A longer value is cut. Escaped it may be six times as long, and a line must stay below the
    /// 4,096 bytes that a pipe takes at once when it takes anything.
    static let valueBytesMax = 600

    let level: Level
    private let isJSON: Bool
    /// How many lines were dropped since the last one that was taken.
    private static let dropped = Mutex(0)

    init(level: Level, format: Format) {
        self.level = level
        switch format {
        case .json: isJSON = true
        case .text: isJSON = false
        case .auto: isJSON = !Terminal.isErrorTerminal
        }
    }

    func debug(_ name: String, _ fields: KeyValuePairs<String, JSONValue> = [:]) {
        event(.debug, name, fields)
    }
    func info(_ name: String, _ fields: KeyValuePairs<String, JSONValue> = [:]) {
        event(.info, name, fields)
    }
    func warn(_ name: String, _ fields: KeyValuePairs<String, JSONValue> = [:]) {
        event(.warn, name, fields)
    }
    func error(_ name: String, _ fields: KeyValuePairs<String, JSONValue> = [:]) {
        event(.error, name, fields)
    }

    /// - Parameter name: what happened, in `snake_case`, the same word every time.
    func event(_ level: Level, _ name: String, _ fields: KeyValuePairs<String, JSONValue> = [:]) {
        guard level >= self.level else { return }
        let line = line(level, name, fields)
        Self.dropped.withLock { dropped in
            if dropped > 0 {
                let note = self.line(.warn, "log_lines_dropped", ["count": .integer(dropped)])
                if Terminal.offer(note, to: STDERR_FILENO) { dropped = 0 }
            }
            if dropped > 0 || !Terminal.offer(line, to: STDERR_FILENO) { dropped += 1 }
        }
    }

    /// Says that requests are accepted. Plain text in every format: people and scripts wait for it,
    /// so that it waits for them, a little.
    func ready(version: String, addresses: [String]) {
        let line = "clickrelay \(version) listening on \(addresses.joined(separator: ", "))\n"
        _ = Terminal.offer(line, to: STDERR_FILENO, waitingMilliseconds: 1000)
    }

    private func line(
        _ level: Level, _ name: String, _ fields: KeyValuePairs<String, JSONValue>
    ) -> String {
        let at = Instant(micros: Clock.wallMicros())
        return
            (isJSON ? Self.json(at, level, name, fields) : Self.text(at, level, name, fields))
            + "\n"
    }

    // MARK: Forms

    static func json(
        _ at: Instant, _ level: Level, _ name: String, _ fields: KeyValuePairs<String, JSONValue>
    ) -> String {
        var members = [
            JSONMember(name: "time", value: .string(at.rfc3339)),
            JSONMember(name: "level", value: .string(level.rawValue)),
            JSONMember(name: "event", value: .string(name)),
        ]
        for (key, value) in fields {
            let cut = value.stringValue.map { JSONValue.string(shortened($0)) } ?? value
            members.append(JSONMember(name: key, value: cut))
        }
        return JSONValue.object(members).encoded()
    }

    static func text(
        _ at: Instant, _ level: Level, _ name: String, _ fields: KeyValuePairs<String, JSONValue>
    ) -> String {
        var line = "\(at.rfc3339) \(level.rawValue) \(name)"
        for (key, value) in fields {
            line += " \(key)=\(quoted(shortened(value.stringValue ?? value.encoded())))"
        }
        return line
    }

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > valueBytesMax else { return text }
        return String(decoding: text.utf8.prefix(valueBytesMax), as: UTF8.self) + "…"
    }

    /// In quotes where the value would not end at the next space.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 != " " && $0 != "\"" && $0 != "=" && $0 != "\\" && !Printable.mustEscape($0)
            }
        if isPlain { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            Printable.append(scalar, to: &result)
        }
        return result + "\""
    }
}
