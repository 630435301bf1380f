internal import Domain

/// The headers in which browsers of Chromium's family tell what their user agent no longer does
/// (User-Agent Client Hints, W3C draft; values are structured fields, RFC 9651).
enum ClientHints {
    static func read(_ headers: AgentHeaders, into device: inout Device) {
        guard headers.hasHints, device.kind != .bot, device.visit == .visitor else { return }
        readBrands(AgentText(headers.brands), into: &device)
        if device.visit == .bot { return }
        readPlatform(headers, into: &device)
        readModel(AgentText(headers.model), into: &device)
        readForm(headers, into: &device)
    }

    /// What browsers call themselves in the list of brands, and what we call them.
    private static let brands: [(StaticString, String)] = [
        ("microsoft edge webview2", "Edge WebView"), ("microsoft edge", "Edge"),
        ("opera gx", "Opera GX"), ("opera mini", "Opera Mini"), ("operamobile", "Opera"),
        ("opera", "Opera"), ("brave", "Brave"), ("yabrowser", "Yandex Browser"),
        ("yandex", "Yandex Browser"), ("vivaldi", "Vivaldi"),
        ("samsung internet", "Samsung Internet"),
        ("duckduckgo", "DuckDuckGo"), ("whale", "Whale"),
        ("avast secure browser", "Avast Secure Browser"),
        ("avg secure browser", "AVG Secure Browser"), ("ccleaner browser", "CCleaner Browser"),
        ("amazon silk", "Amazon Silk"), ("miui browser", "MiuiBrowser"),
        ("huaweibrowser", "Huawei Browser"),
        ("oculus browser", "Oculus Browser"), ("quark", "Quark"), ("ecosia", "Ecosia"),
        ("android webview", "Chrome WebView"), ("google chrome", "Chrome"),
        ("chromium", "Chromium"),
    ]

    /// The best known brand of the list names the browser, unless the agent has named one that
    /// only pretends to be Chrome, or an app.
    private static func readBrands(_ text: AgentText, into device: inout Device) {
        var best: (rank: Int, version: String)?
        var index = 0
        var items = 0
        while let name = quoted(text, from: &index), items < itemsMax {
            items += 1
            var version = ""
            if text.starts(with: ";v=", at: index) {
                index += 3
                if let range = quoted(text, from: &index) {
                    version = text.version(at: range.lowerBound)
                }
            }
            if text.starts(with: "headlesschrome", at: name.lowerBound) {
                device.kind = .bot
                device.visit = .bot
                device.browser = "HeadlessChrome"
                device.browserVersion = version
                return
            }
            guard let rank = brands.firstIndex(where: { isSame($0.0, text, name) }),
                rank < best?.rank ?? .max
            else { continue }
            best = (rank, version)
        }
        guard let best else { return }
        let name = brands[best.rank].1
        if device.browser == name {
            // The agent's own is `124.0.0.0` since browsers froze it; the list may tell it whole.
            if best.version.utf8.contains(UInt8(ascii: ".")) {
                device.browserVersion = best.version
            }
            return
        }
        let isPlain = device.browser.isEmpty || device.browser == "Chrome"
        guard isPlain, device.inApp.isEmpty, name != "Chromium" || device.browser.isEmpty else {
            return
        }
        device.browser = name
        device.browserVersion = best.version
    }

    /// Browsers list three or four.
    private static let itemsMax = 16

    private static func isSame(_ brand: StaticString, _ text: AgentText, _ name: Range<Int>) -> Bool
    {
        brand.utf8CodeUnitCount == name.count && text.starts(with: brand, at: name.lowerBound)
    }

    private static func readPlatform(_ headers: AgentHeaders, into device: inout Device) {
        // Televisions and consoles name their system better in the agent.
        guard device.kind != .tv, device.kind != .console else { return }
        let text = AgentText(headers.platform)
        var index = 0
        guard let name = quoted(text, from: &index), !name.isEmpty else { return }
        let version = version(AgentText(headers.platformVersion))
        for (word, os) in platforms where isSame(word, text, name) {
            if os == "Windows" {
                device.osVersion = windows(version) ?? (device.os == os ? device.osVersion : "")
            } else if !version.isEmpty || device.os != os {
                // Linux tells a kernel's version; the agent may have told whose Linux it is.
                if os == "Linux", !device.os.isEmpty, device.kind == .desktop { return }
                device.osVersion = version
            }
            if device.os != os { device.kind = isHeld(os) ? .mobile : .desktop }
            device.os = os
            return
        }
    }

    private static let platforms: [(StaticString, String)] = [
        ("windows", "Windows"), ("macos", "macOS"), ("android", "Android"),
        ("chrome os", "Chrome OS"),
        ("chromium os", "Chrome OS"), ("ios", "iOS"), ("linux", "Linux"), ("fuchsia", "Fuchsia"),
        ("harmonyos", "HarmonyOS"),
    ]

    private static func isHeld(_ os: String) -> Bool {
        os == "Android" || os == "iOS" || os == "HarmonyOS"
    }

    /// The version counts Windows' interfaces: 13 and more mean 11, 1 to 12 mean 10, and 0.x older
    /// ones (Microsoft, "Detect Windows 11 and CPU architecture using User-Agent Client Hints").
    private static func windows(_ version: String) -> String? {
        let parts = version.split(separator: ".")
        guard let first = parts.first.flatMap({ Int($0) }) else { return nil }
        switch first {
        case 13...: return "11"
        case 1...: return "10"
        default:
            switch parts.count > 1 ? parts[1] : "" {
            case "1": return "7"
            case "2": return "8"
            case "3": return "8.1"
            default: return nil
            }
        }
    }

    /// Without the zeros at the end, as agents write it: `14.0.0` is `14`.
    private static func version(_ text: AgentText) -> String {
        var index = 0
        guard let range = quoted(text, from: &index) else { return "" }
        var parts = text.version(at: range.lowerBound).split(separator: ".")
        while parts.count > 1, parts.last == "0" { parts.removeLast() }
        return parts.joined(separator: ".")
    }

    private static func readModel(_ text: AgentText, into device: inout Device) {
        var index = 0
        guard let quoted = quoted(text, from: &index) else { return }
        let model = text.trimmed(quoted)
        guard !model.isEmpty else { return }
        device.model = text.text(model)
        guard let brand = Brands.find(text, model) else { return }
        device.brand = brand.name
        if let kind = brand.kind { device.kind = kind }
    }

    private static func readForm(_ headers: AgentHeaders, into device: inout Device) {
        let text = AgentText(headers.formFactors)
        if text.index(of: "\"tablet\"") != nil { device.kind = .tablet; return }
        if text.index(of: "\"watch\"") != nil || text.index(of: "\"xr\"") != nil {
            device.kind = .wearable
            return
        }
        let mobile = AgentText(headers.mobile)
        if mobile.starts(with: "?1", at: 0), device.kind == .desktop || device.kind == .other {
            device.kind = .mobile
        }
        if mobile.starts(with: "?0", at: 0), device.kind == .mobile, device.os == "Android" {
            device.kind = .tablet
        }
    }

    /// What stands between the next two quotes. A backslash may stand before a quote only in brands
    /// that are made up to keep parsers honest; those are known to nobody.
    private static func quoted(_ text: AgentText, from index: inout Int) -> Range<Int>? {
        while index < text.count, text[index] != UInt8(ascii: "\"") { index += 1 }
        guard index < text.count else { return nil }
        let start = index + 1
        index = start
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(index, text.count)
        index = end + 1
        return start..<max(start, end)
    }
}
