internal import Domain

/// What the visitor holds in hand: the device's kind, its brand and model where they are told.
enum HardwareReading {
    static func read(_ scan: AgentScan, _ device: inout Device) {
        let isBot = device.kind == .bot
        if let model = DeviceModel.find(scan, os: device.os) {
            device.model = scan.text.text(model)
            if let brand = Brands.find(scan.text, model) {
                device.brand = brand.name
                device.kind = brand.kind ?? .other
            }
            if device.kind == .other, device.os == "Android", TabletName.isLikely(scan.text, model)
            {
                device.kind = .tablet
            }
        }
        if isBot {
            device.kind = .bot
            return
        }
        let told = device.kind
        device.kind = kind(scan, device, told)
        if device.brand.isEmpty { device.brand = maker(scan, device) }
    }

    private static func kind(_ scan: AgentScan, _ device: Device, _ told: Device.Kind)
        -> Device.Kind
    {
        if told != .other { return told }
        if isConsole(scan) { return .console }
        if isTelevision(scan) { return .tv }
        if scan.has(.watch),
            device.os == "watchOS" || device.os == "Android" || device.os == "Tizen"
        {
            return .wearable
        }
        switch device.os {
        case "watchOS": return .wearable
        case "tvOS", "Roku", "GoogleTV", "Chromecast", "WebTV": return .tv
        case "iOS":
            return scan.has(.homePod)
                ? .other : scan.has(.iPad) || scan.has(.iPadOS) ? .tablet : .mobile
        case "Android": return android(scan)
        case "HarmonyOS", "Tizen", "Firefox OS", "Sailfish":
            return scan.has(.tablet) ? .tablet : .mobile
        case "KaiOS", "Windows Phone", "Windows Mobile", "BlackBerry OS", "Symbian",
            "Nokia Series 40", "Nokia Series 30 Plus", "Bada",
            "MeeGo", "Maemo", "BREW", "Brew MP", "VRE":
            return .mobile
        case "Kindle", "BlackBerry Tablet OS", "WeTab": return .tablet
        case "webOS": return scan.has(.hpwOS) ? .tablet : .mobile
        case "Windows":
            let isPhone = scan.has(.iEMobile) || scan.has(.operaMobi) || scan.has(.ppc)
            return isPhone || device.osVersion == "CE" ? .mobile : .desktop
        case "macOS", "Mac OS", "Chrome OS", "Ubuntu", "Fedora", "Debian", "Linux", "FreeBSD",
            "OpenBSD", "NetBSD", "BSD", "Solaris", "Red Hat", "Gentoo", "Mandriva", "SUSE", "Haiku",
            "OS/2", "SerenityOS":
            return isOldPhone(scan) ? .mobile : .desktop
        default: return isOldPhone(scan) || !device.brand.isEmpty ? .mobile : .other
        }
    }

    private static func isConsole(_ scan: AgentScan) -> Bool {
        scan.has(.playStation) || scan.has(.xbox) || scan.has(.nintendo) || scan.has(.dreamcast)
    }

    private static func isTelevision(_ scan: AgentScan) -> Bool {
        for mark in televisions where scan.has(mark) { return true }
        return scan.text.index(of: "large screen") != nil
    }

    private static let televisions: [AgentMark] = [
        .smartTV, .appleTV, .hbbTV, .netCast, .googleTV, .androidTV, .crKey, .roku, .viera, .bravia,
        .webOSTV, .web0S, .dtv, .netTV, .inetTV, .tv, .webTV,
    ]

    /// Phones say `Mobile` and tablets don't, as Google asks of makers since Android 3. Programs
    /// that are no browser don't say it at all.
    private static func android(_ scan: AgentScan) -> Device.Kind {
        if scan.has(.tablet) { return .tablet }
        if scan.has(.mobile) || scan.has(.operaMini) || scan.has(.operaMobi) { return .mobile }
        let isBrowser = scan.has(.appleWebKit) && scan.has(.mozilla)
        return isBrowser && !scan.has(.dalvik) ? .tablet : .mobile
    }

    private static func isOldPhone(_ scan: AgentScan) -> Bool {
        scan.has(.midp) || scan.has(.cldc) || scan.has(.j2me) || scan.has(.wap)
            || scan.has(.upBrowser) || scan.has(.operaMini) || scan.has(.operaMobi)
            || scan.has(.iEMobile) || scan.browser?.name == "UP.Browser"
    }

    private static func maker(_ scan: AgentScan, _ device: Device) -> String {
        switch device.os {
        case "iOS", "watchOS", "tvOS", "macOS", "Mac OS": "Apple"
        case "BlackBerry OS", "BlackBerry Tablet OS": "BlackBerry"
        case "Roku": "Roku"
        case "Kindle": "Amazon"
        default:
            if scan.has(.playStation) {
                "Sony"
            } else if scan.has(.xbox) {
                "Microsoft"
            } else if scan.has(.nintendo) {
                "Nintendo"
            } else if scan.has(.web0S) || scan.has(.netCast) {
                "LG"
            } else {
                ""
            }
        }
    }
}
