import Foundation

/// One case of ua-parser's test files: what an agent is, as that project has agreed on it.
struct AgentTestCase {
    var agent = ""
    var fields: [String: String] = [:]
}

/// Reads the subset of YAML in which uap-core writes its tests: a list of flat maps.
enum AgentTestFile {
    static let directory = "/usr/share/uap-core/tests/"

    static func read(_ name: String) throws -> [AgentTestCase] {
        let text = try String(contentsOfFile: directory + name, encoding: .utf8)
        var cases: [AgentTestCase] = []
        for line in text.split(separator: "\n") {
            var line = line.drop { $0 == " " }
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("- ") {
                cases.append(AgentTestCase())
                line = line.dropFirst(2).drop { $0 == " " }
            }
            guard !cases.isEmpty, let colon = line.firstIndex(of: ":") else { continue }
            let value = scalar(line[line.index(after: colon)...])
            let key = String(line[..<colon])
            if key == "user_agent_string" {
                cases[cases.count - 1].agent = value
            } else {
                cases[cases.count - 1].fields[key] = value
            }
        }
        return cases.filter { !$0.agent.isEmpty }
    }

    private static func scalar(_ text: Substring) -> String {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        guard let quote = trimmed.first, quote == "'" || quote == "\"", trimmed.count >= 2,
            let end = trimmed.lastIndex(of: quote), end > trimmed.startIndex
        else { return trimmed }
        let inner = String(trimmed[trimmed.index(after: trimmed.startIndex)..<end])
        return quote == "'"
            ? inner.replacingOccurrences(of: "''", with: "'")
            : inner.replacingOccurrences(of: "\\\"", with: "\"")
    }
}
