internal import Domain

/// The operating system and its version.
enum SystemReading {
    static func read(_ scan: AgentScan, _ device: inout Device) {
        if let (os, version) = system(scan) {
            device.os = os
            device.osVersion = version
        }
    }

    /// Some name others' systems, for old servers: Windows Phone says Android and iPhone, Tizen
    /// and KaiOS say Linux or Android. So the rarer one is asked for first.
    private static func system(_ scan: AgentScan) -> (String, String)? {
        if let found = microsoftPhone(scan) { return found }
        if scan.has(.kaiOS) { return ("KaiOS", scan.version(.kaiOS)) }
        if scan.has(.tizen) { return ("Tizen", scan.version(.tizen)) }
        if scan.has(.openHarmony) { return ("HarmonyOS", scan.version(.openHarmony)) }
        if scan.has(.harmony) { return ("HarmonyOS", scan.version(.harmony)) }
        if scan.has(.sailfish) { return ("Sailfish", scan.version(.sailfish)) }
        if let found = television(scan) { return found }
        if let found = apple(scan) { return found }
        if scan.has(.android) || scan.has(.adr) { return ("Android", androidVersion(scan)) }
        // `X11; Windows x86_64 10718.88.2`: Chrome OS where it runs Windows' programs.
        if scan.has(.crOS) || scan.has(.x11) && scan.has(.windows) && !scan.has(.nt) {
            return ("Chrome OS", chromeOSVersion(scan))
        }
        if scan.has(.windows) || scan.has(.win) || scan.has(.windowsCE) {
            return WindowsVersion.read(scan)
        }
        if scan.browser?.name == "Amazon Silk", !scan.has(.playStation) { return ("Android", "") }
        if let found = mac(scan) { return found }
        if let found = olderPhone(scan) { return found }
        return unix(scan)
    }

    private static func microsoftPhone(_ scan: AgentScan) -> (String, String)? {
        guard scan.has(.windows) else { return nil }
        let end = scan.end(of: .phoneWord)
        if end > 0, let windows = scan.text.index(of: "windows phone"), windows < end {
            let version =
                scan.text.starts(with: " os ", at: windows + 13) ? windows + 17 : windows + 14
            return ("Windows Phone", scan.text.version(at: version))
        }
        if scan.has(.wds) { return ("Windows Phone", scan.version(.wds)) }
        if scan.text.index(of: "zunewp7") != nil { return ("Windows Phone", "7.5") }
        if scan.text.index(of: "windows mobile") != nil {
            return ("Windows Mobile", scan.version(.mobile))
        }
        return nil
    }

    private static func television(_ scan: AgentScan) -> (String, String)? {
        if scan.has(.tvOS) { return ("tvOS", scan.version(.tvOS)) }
        if scan.has(.appleTV) || scan.has(.tv) && scan.text.index(of: "apple tv") != nil {
            return ("tvOS", AppleVersion.read(scan))
        }
        if scan.has(.googleTV) { return ("GoogleTV", scan.version(.googleTV)) }
        if scan.has(.crKey), !scan.has(.android) { return ("Chromecast", scan.version(.crKey)) }
        if scan.has(.roku) { return ("Roku", rokuVersion(scan)) }
        if scan.has(.web0S) || scan.has(.webOSTV) { return ("webOS", scan.version(.webOSTV)) }
        if scan.has(.webTV) { return ("WebTV", scan.version(.webTV)) }
        return nil
    }

    private static func rokuVersion(_ scan: AgentScan) -> String {
        guard let dash = scan.text.index(of: "dvp-") else { return scan.version(.roku) }
        return scan.text.version(at: dash + 4)
    }

    private static func apple(_ scan: AgentScan) -> (String, String)? {
        if scan.has(.watchOS) { return ("watchOS", scan.version(.watchOS)) }
        if scan.has(.watch), scan.text.index(of: "apple watch") != nil {
            return ("watchOS", AppleVersion.read(scan))
        }
        if scan.has(.iPhone) || scan.has(.iPad) || scan.has(.iPod) || scan.has(.iPadOS)
            || scan.has(.iOS) && !scan.has(.android) && !scan.has(.windows)
        {
            return ("iOS", AppleVersion.read(scan))
        }
        if scan.client?.name == "Outlook-iOS" { return ("iOS", "") }
        if scan.has(.homePod) { return ("iOS", AppleVersion.read(scan)) }
        if scan.has(.cfNetwork) || scan.has(.darwin), !scan.has(.macWord), !scan.has(.macOS) {
            return AppleVersion.ofDarwin(scan)
        }
        return nil
    }

    private static func mac(_ scan: AgentScan) -> (String, String)? {
        if scan.has(.macintosh) || scan.has(.macWord) || scan.has(.macOS) {
            return ("macOS", AppleVersion.ofMac(scan))
        }
        return scan.has(.macPPC) ? ("Mac OS", "") : nil
    }

    private static func androidVersion(_ scan: AgentScan) -> String {
        let version = scan.version(scan.has(.android) ? .android : .adr)
        if !version.isEmpty { return version }
        // `Android; 4.1.2` and `Linux; U; 2.3.6`
        var index = scan.end(of: .android)
        while index > 0, index < scan.text.count, !AgentText.isDigit(scan.text[index]) {
            guard
                scan.text[index] == UInt8(ascii: ";") || scan.text[index] == UInt8(ascii: ":")
                    || AgentText.isBlank(scan.text[index])
            else { return "" }
            index += 1
        }
        return index > 0 ? scan.text.version(at: index) : ""
    }

    /// `CrOS x86_64 14541.0.0`
    private static func chromeOSVersion(_ scan: AgentScan) -> String {
        var index = scan.end(of: scan.has(.crOS) ? .crOS : .windows) + 1
        while AgentText.isWord(scan.text[index]) { index += 1 }
        return scan.text.version(at: index + 1)
    }

    private static func olderPhone(_ scan: AgentScan) -> (String, String)? {
        if scan.has(.playBook) { return ("BlackBerry Tablet OS", versionAfter(scan, "tablet os ")) }
        if scan.has(.blackBerry) || scan.has(.bb10) {
            return ("BlackBerry OS", scan.version(.version))
        }
        if scan.has(.symbian) || scan.has(.series60) || scan.text.starts(with: "series 60", at: 12)
        {
            return ("Symbian", scan.version(.symbian))
        }
        if scan.has(.series40) { return ("Nokia Series 40", "") }
        if scan.has(.series30) { return ("Nokia Series 30 Plus", "") }
        if scan.has(.bada) { return ("Bada", scan.version(.bada)) }
        if scan.has(.hpwOS) { return ("webOS", scan.version(.hpwOS)) }
        if scan.has(.webOS) { return ("webOS", scan.version(.webOS)) }
        if scan.has(.meego) { return ("MeeGo", "") }
        if scan.has(.maemo) { return ("Maemo", "") }
        if scan.has(.kindle) { return ("Kindle", scan.version(.kindle)) }
        if scan.text.index(of: "brew mp") != nil || scan.has(.brewMP) {
            return ("Brew MP", versionAfter(scan, scan.has(.brewMP) ? "bmp" : "brew mp"))
        }
        if scan.has(.brew) { return ("BREW", scan.version(.brew)) }
        if scan.has(.vre) { return ("VRE", "") }
        // Firefox OS names no system; its Firefox names the form instead.
        if scan.has(.firefox), !scan.has(.android), !scan.has(.linux),
            scan.has(.mobile) || scan.has(.tablet), scan.text.starts(with: "(", at: 12)
        {
            return ("Firefox OS", "")
        }
        return nil
    }

    private static func versionAfter(_ scan: AgentScan, _ words: StaticString) -> String {
        guard let start = scan.text.index(of: words) else { return "" }
        return scan.text.version(behind: start + words.utf8CodeUnitCount)
    }

    private static let unixes: [(AgentMark, String)] = [
        (.weTab, "WeTab"), (.ubuntu, "Ubuntu"), (.fedora, "Fedora"), (.debian, "Debian"),
        (.redHat, "Red Hat"), (.mandriva, "Mandriva"), (.suse, "SUSE"),
        (.freeBSD, "FreeBSD"), (.openBSD, "OpenBSD"), (.netBSD, "NetBSD"), (.bsd, "BSD"),
        (.sunOS, "Solaris"), (.serenity, "SerenityOS"), (.haiku, "Haiku"), (.os2, "OS/2"),
        (.fuchsia, "Fuchsia"), (.linux, "Linux"), (.x11, "Linux"),
    ]

    private static func unix(_ scan: AgentScan) -> (String, String)? {
        // `JUC (Linux; U; 2.3.6; zh-cn; GT-S7500; …)`
        if scan.has(.linux), scan.browser?.name == "UC Browser" {
            let digit = scan.text.index(of: "u;").map {
                scan.text[$0 + 2] == UInt8(ascii: " ") ? $0 + 3 : $0 + 2
            }
            return ("Android", digit.map { scan.text.version(at: $0) } ?? "")
        }
        // `Linux 2.4.20-gentoo-r2`: the kernel tells who built it.
        if scan.has(.linux), let gentoo = scan.text.index(of: "-gentoo") {
            return (
                "Gentoo",
                scan.text.index(of: "linux ", before: gentoo) == nil ? "" : scan.version(.linux)
            )
        }
        for (mark, name) in unixes where scan.has(mark) {
            return (name, mark == .x11 ? "" : scan.version(mark))
        }
        return nil
    }
}
