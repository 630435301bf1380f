/// Versions of Apple's systems, each told in a way of its own.
enum AppleVersion {
    /// `CPU iPhone OS 17_1 like Mac OS X`, `CPU OS 16_2`, `CPU iPhone 6_1_4`, `iOS 12.2`,
    /// `iPhone OS,6.1`, `(iOS; 7.1;`.
    static func read(_ scan: AgentScan) -> String {
        let text = scan.text
        var start = 0
        while let found = text.index(of: "os", from: start) {
            start = found + 2
            // The word's end: `iOS`, `OS`, `iPadOS`, not `MacOSX`.
            let version = text.version(behind: skip(text, start))
            if !version.isEmpty { return version }
        }
        if scan.has(.iPhone), let cpu = text.index(of: "cpu ") {
            let after = text.starts(with: "iphone ", at: cpu + 4) ? cpu + 11 : cpu + 4
            let version = text.version(at: after)
            if !version.isEmpty { return version }
        }
        if scan.has(.cfNetwork) { return ofDarwin(scan).1 }
        return text.version(behind: scan.end(of: .iPhone))
    }

    /// Over `;`, `,` and blanks, which stand before the version here and there.
    private static func skip(_ text: AgentText, _ start: Int) -> Int {
        var index = start
        while index < start + 3,
            text[index] == UInt8(ascii: ";") || text[index] == UInt8(ascii: ",")
                || AgentText.isBlank(text[index])
        {
            index += 1
        }
        return index
    }

    /// `Intel Mac OS X 10_15_7`, `Mac OS X/10.10.4`, `Mac OS X Version 10.12.6`, `OS X 10.9`.
    /// Since macOS 11 browsers say 10.15.7, whatever it is: only client hints tell.
    static func ofMac(_ scan: AgentScan) -> String {
        let text = scan.text
        var start = 0
        while let found = text.index(of: "os", from: start) {
            start = found + 2
            var after = start
            if AgentText.isBlank(text[after]), text.lower(after + 1) == UInt8(ascii: "x") {
                after += 2
            }
            if text.starts(with: " version", at: after) { after += 8 }
            let version = text.version(behind: after)
            if !version.isEmpty { return version }
        }
        return ""
    }

    /// Programs that use Apple's network library name the kernel, `Darwin/21.4.0`, whose first
    /// number tells the system's: Apple raises both each autumn. The second numbers differ.
    static func ofDarwin(_ scan: AgentScan) -> (String, String) {
        let text = scan.text
        let start = scan.end(of: .darwin) + 1
        let kernel = text.number(at: start)
        // `Darwin/10.13`: some write the system's number behind the kernel's name.
        if kernel == 10, text.number(at: start + 3) > 8 {
            return ("macOS", text.version(at: start))
        }
        if scan.has(.macBook) || macMachines.contains(where: { text.index(of: $0) != nil }) {
            return ("macOS", macVersion(kernel))
        }
        return ("iOS", phoneVersion(kernel, network: text.number(at: scan.end(of: .cfNetwork) + 1)))
    }

    /// What a Mac writes behind the kernel's version; phones write nothing.
    private static let macMachines: [StaticString] = ["(x86_64)", "(i386)", "(arm64)", "(power"]

    private static func macVersion(_ kernel: Int) -> String {
        switch kernel {
        case 5...19: "10.\(kernel - 4)"
        case 20...24: "\(kernel - 9)"
        case 25...99: "\(kernel + 1)"
        default: ""
        }
    }

    private static func phoneVersion(_ kernel: Int, network: Int) -> String {
        switch kernel {
        case 10: "4"
        case 11: network < 520 ? "4" : "5"
        case 13: "6"
        case 14: network < 700 ? "7" : "8"
        case 15...24: "\(kernel - 6)"
        case 25...99: "\(kernel + 1)"
        default: ""
        }
    }
}
