import Domain
import Foundation
import Testing
import Visitors

/// How far we agree with ua-parser's uap-core about its own test agents.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: AgentTestFile.directory)))
struct AgentAgreementTests {
    /// Our names for what they call by another: one browser is one, whatever it runs on, and
    /// `device` and `os` tell that. Nothing else is taken for the same.
    private static let browsers = [
        "Mobile Safari": "Safari", "WebKit Nightly": "Safari",
        "Mobile Safari UI/WKWebView": "Safari WebView",
        "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome",
        "Chrome Mobile WebView": "Chrome WebView", "Android": "Android Browser",
        "Firefox Mobile": "Firefox", "Firefox iOS": "Firefox", "Firefox Beta": "Firefox",
        "Firefox (Shiretoko)": "Firefox", "Firefox (Minefield)": "Firefox",
        "Edge Mobile": "Edge", "IE": "Internet Explorer", "IE Mobile": "Internet Explorer",
        "IE Large Screen": "Internet Explorer", "Opera Mobile": "Opera", "Opera Tablet": "Opera",
        "QQ Browser Mobile": "QQ Browser", "QQ Browser Mini": "QQ Browser",
        "DuckDuckGo Mobile": "DuckDuckGo",
    ]
    private static let systems = [
        "Mac OS X": "macOS", "ATV OS X": "tvOS", "Web0S": "webOS", "Symbian OS": "Symbian",
        "Symbian^3": "Symbian", "Symbian^3 Anna": "Symbian", "Symbian^3 Belle": "Symbian",
    ]

    @Test func `browsers are named as uap-core names them`() throws {
        try compare("test_ua.yaml", atLeast: 0.95) { device, item in
            let theirs = item.fields["family"] ?? ""
            let name = Self.browsers[theirs] ?? theirs
            // They have one name for an app and for its browser.
            if device.inApp.lowercased() == name.lowercased() { return (name, name) }
            let ours = device.inApp.isEmpty ? device.browser : device.inApp
            return (name, ours.isEmpty ? "Other" : ours)
        }
    }

    @Test func `systems are named as uap-core names them`() throws {
        try compare("test_os.yaml", atLeast: 0.95) { device, item in
            let theirs = item.fields["family"] ?? ""
            return (Self.systems[theirs] ?? theirs, device.os.isEmpty ? "Other" : device.os)
        }
    }

    @Test func `devices are of the class that uap-core's models are`() throws {
        try compare("test_device.yaml", atLeast: 0.9) { device, item in
            (ModelClass.of(item), device.kind.rawValue)
        }
    }

    private func compare(
        _ file: String, atLeast threshold: Double,
        _ names: (Device, AgentTestCase) -> (theirs: String, ours: String)
    ) throws {
        let cases = try AgentTestFile.read(file)
        try #require(cases.count > 100)
        var wrong: [String: (count: Int, example: String)] = [:]
        for item in cases {
            let (theirs, ours) = names(device(item.agent), item)
            if theirs.lowercased() != ours.lowercased() {
                let before = wrong["\(theirs) -> \(ours)"]?.count ?? 0
                wrong["\(theirs) -> \(ours)"] = (before + 1, item.agent)
            }
        }
        let disagreements = wrong.values.reduce(0) { $0 + $1.count }
        let agreement = 1 - Double(disagreements) / Double(cases.count)
        let percent = String(format: "%.2f", agreement * 100)
        print("\(file): \(cases.count) agents, agreement \(percent) %, theirs -> ours:")
        let sorted = wrong.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        for (pair, value) in sorted.prefix(60) {
            print("  \(value.count) × \(pair), such as \(value.example.prefix(160))")
        }
        #expect(agreement >= threshold, "\(file): \(percent) %")
    }
}

/// uap-core tells a device's brand and model, and no class. This tells it from these two, by rules
/// that know nothing of how the parser does it: what tablets and televisions are called, and who
/// makes nothing else. A model that no rule knows is a phone, which is wrong for a thousand tablets
/// of makers long forgotten.
private enum ModelClass {
    static func of(_ item: AgentTestCase) -> String {
        let family = item.fields["family"] ?? ""
        let brand = item.fields["brand"] ?? ""
        let model = item.fields["model"] ?? ""
        let name = "\(family) \(model) \(brand)".lowercased()
        let agent = item.agent
        if family == "Spider" || brand == "Spider" { return "bot" }
        if televisions.contains(where: { name.contains($0) })
            || televisionAgents.contains(where: { agent.contains($0) })
            || name.split(whereSeparator: { !$0.isLetter }).contains("tv")
        {
            return "tv"
        }
        if consoles.contains(where: { name.contains($0) }) { return "console" }
        if family.contains("Watch") { return "wearable" }
        if family == "Mac" || family == "Other" || brand.isEmpty || model == "Mac" {
            return "desktop"
        }
        if brand == "Generic", model == "Smartphone" || model == "Feature Phone" { return "mobile" }
        let isTablet =
            tabletNames.contains { name.contains($0) } || tabletMakers.contains(brand)
            || isPad(name) || (tabletModels[brand] ?? []).contains { model.hasPrefix($0) }
        return isTablet ? "tablet" : "mobile"
    }

    private static func isPad(_ name: String) -> Bool {
        name.replacingOccurrences(of: "padfone", with: "")
            .replacingOccurrences(of: "coolpad", with: "").contains("pad")
    }

    private static let televisions = [
        "inettv", "smarttv", "smart-tv", "hbbtv", "bravia", "chromecast", "roku", "appletv",
        "viera", "netcast", "googletv", "internet tv",
    ]
    private static let televisionAgents = [
        "HbbTV", "SmartTV", "SMART-TV", "DTV", "GoogleTV", "NetCast", "Viera", "BRAVIA", "CrKey",
        "AppleTV", "InettvBrowser", "NETTV",
    ]
    private static let consoles = [
        "playstation", "nintendo", "xbox", "ouya", "wii", "psp", "dreamcast",
    ]
    private static let tabletNames = [
        " tab", "_tab", "-tab", "tablet", "slate", "iconia", "kindle", "nook", "transformer",
        "xoom", "playbook", "streak 7", "thrive", "folio", "ideatab", "lifetab", "surftab",
    ]
    private static let tabletMakers: Set = [
        "CobyKyros", "POV", "Odys", "Mediacom", "Ainol", "Polaroid", "Yarvik", "Mpman", "Ployer",
        "Yifang", "IconBIT", "Amazon", "Nook", "Cube",
    ]
    private static let tabletModels = [
        "Samsung": [
            "SM-T", "SM-P", "SM-X", "GT-P", "GT-N5", "GT-N8", "SGH-T849", "SGH-T859", "SGH-T869",
            "SGH-T779", "SGH-I467", "SGH-I497", "SGH-I957", "SGH-I987", "SCH-I800", "SCH-I900",
            "SCH-P739", "SHW-M180", "SHW-M380", "SHW-M480", "SHW-M500", "SHV-E120", "SHV-E130",
            "SPH-P", "SC-01C",
        ],
        "Asus": ["TF", "ME1", "ME3", "ME5", "K00", "K01", "P01", "P02", "SL101", "Eee"],
        "Acer": ["A100", "A101", "A110", "A1-", "A2", "A3-", "A5", "A7", "B1-", "B3-"],
    ]
}
