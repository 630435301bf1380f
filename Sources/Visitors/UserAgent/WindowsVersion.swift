/// Windows by the name that people know: agents send the kernel's number.
enum WindowsVersion {
    static func read(_ scan: AgentScan) -> (String, String) {
        if scan.has(.windowsCE) { return ("Windows", "CE") }
        let arm = scan.has(.arm) && scan.has(.trident)
        let end = scan.end(of: .nt)
        if end > 0 {
            let name = name(kernel: scan.text.version(behind: end))
            return ("Windows", arm ? name == "8" ? "RT" : name == "8.1" ? "RT 8.1" : name : name)
        }
        return ("Windows", older(scan))
    }

    /// 10 means 10 or 11: browsers froze the number, and only client hints tell.
    private static func name(kernel: String) -> String {
        switch kernel {
        case "10.0", "10", "6.4": "10"
        case "6.3": "8.1"
        case "6.2": "8"
        case "6.1": "7"
        case "6.0": "Vista"
        case "5.1", "5.2": "XP"
        case "5.0", "5.01": "2000"
        case "": ""
        default: kernel.hasPrefix("10.") ? "10" : "NT"
        }
    }

    /// `Windows 98`, `Win98`, `Win 9x 4.90`, `Windows 7 Ultimate Edition`, `Windows/10`
    private static func older(_ scan: AgentScan) -> String {
        let end = scan.end(of: scan.has(.windows) ? .windows : .win)
        if scan.text.index(of: "win 9x 4.90") != nil { return "ME" }
        for (word, name) in names {
            if scan.text.starts(with: word, at: end + 1) { return name }
        }
        let version = scan.text.version(behind: end)
        if version == "3.11" || version == "16" { return "3.1" }
        if version == "32" { return "95" }
        if !version.isEmpty { return version }
        return scan.has(.win) && scan.has(.windows)
            ? older16(scan.text.version(behind: scan.end(of: .win))) : ""
    }

    private static func older16(_ version: String) -> String {
        switch version {
        case "3.11", "16": "3.1"
        case "32": "95"
        default: version
        }
    }

    private static let names: [(StaticString, String)] = [
        ("xp", "XP"), ("vista", "Vista"), ("me", "ME"), ("ce", "CE"), ("rt", "RT"),
        ("2000", "2000"),
    ]
}
