internal import Domain

/// The browser, or the program that isn't one, and its version.
enum BrowserReading {
    static func read(_ scan: AgentScan, _ device: inout Device) {
        if let name = crawler(scan) {
            device.kind = .bot
            device.visit = isPreview(scan) ? .preview : .bot
            device.browser = name.text
            device.browserVersion = scan.text.version(behind: name.end)
            return
        }
        if let find = scan.client {
            set(find, scan, &device)
            return
        }
        if let find = scan.app {
            device.inApp = find.name
            readEngine(scan, &device)
            if device.browser.isEmpty { set(find, scan, &device) }
            return
        }
        if let find = scan.library {
            // Whose it is, the agent does not say: see `BotMark.library`.
            device.kind = .bot
            set(find, scan, &device)
            return
        }
        if let find = scan.browser, !scan.has(.playStation) {
            set(find, scan, &device)
            return
        }
        // `BacaBerita App/5.5.0 (Linux; U; Android 4.4.4; en-us) Mobile Safari`
        if !scan.has(.mozilla), let name = ProductName.first(scan.text),
            ProductName.hasVersion(scan.text, name), Brands.find(scan.text, name) == nil
        {
            readProduct(scan, &device)
            return
        }
        readEngine(scan, &device)
        if device.browser.isEmpty { readProduct(scan, &device) }
    }

    private static func set(_ find: AgentScan.Find, _ scan: AgentScan, _ device: inout Device) {
        device.browser = find.name
        device.browserVersion = scan.text.version(behind: find.range.upperBound)
    }

    private static func crawler(_ scan: AgentScan) -> (text: String, end: Int)? {
        if let find = scan.preview, isPreview(scan) { return (find.name, find.range.upperBound) }
        // `Argus/1.1 (Nutch; …)` and `EDI/1.6.0 (Edacious & Intelligent Web Crawler)` have said
        // their names before.
        if let find = scan.bot {
            if !ProductName.hasVersion(scan.text, find.range),
                let product = ownName(scan, find.range)
            {
                return (scan.text.text(product), product.upperBound)
            }
            return (find.name, find.range.upperBound)
        }
        if let word = scan.botLike {
            let phrase = BotName.phrase(scan.text, around: word)
            let name = ownName(scan, word, isPhrase: phrase.count > word.count) ?? phrase
            let last = ProductName.nutch(scan.text, name) ?? name
            return (scan.text.text(last), last.upperBound)
        }
        if let mail = scan.botMail, scan.has(.mozilla), scan.end(of: .compatible) < mail.lowerBound,
            ProductName.compatible(scan).map({ scan.has(.msie) || $0.lowerBound >= mail.lowerBound }
            ) ?? true
        {
            let name = BotName.ofMail(scan.text, mail)
            return (scan.text.text(name), name.upperBound)
        }
        // Toolbars of Internet Explorer name addresses too.
        guard scan.hasAddress, !scan.has(.msie) else { return nil }
        guard scan.client == nil, scan.app == nil || !scan.has(.mozilla),
            let first = ProductName.first(scan.text) ?? ProductName.compatible(scan)
        else { return nil }
        let name = ProductName.nutch(scan.text, first) ?? first
        return (scan.text.text(name), name.upperBound)
    }

    /// WhatsApp itself, rather than its preview of a link, names the phone: `Device/BIRD-V1277`.
    private static func isPreview(_ scan: AgentScan) -> Bool {
        guard let find = scan.preview else { return false }
        return scan.text.index(of: " device/", from: find.range.upperBound) == nil
    }

    /// The agent's first product, where it has a version and stands before `word`.
    private static func ownName(_ scan: AgentScan, _ word: Range<Int>, isPhrase: Bool = true)
        -> Range<Int>?
    {
        guard let product = ProductName.first(scan.text), product.upperBound < word.lowerBound,
            ProductName.hasVersion(scan.text, product)
                || ProductName.nutch(scan.text, product) != nil
                || !isPhrase && BotName.isGeneric(scan.text, word)
                    && scan.text[word.lowerBound - 1] == UInt8(ascii: "("),
            Brands.find(scan.text, product)?.isMaker != true
        else { return nil }
        return product
    }

    /// The browser that the engine's words tell, where no word of a table does.
    private static func readEngine(_ scan: AgentScan, _ device: inout Device) {
        if scan.text.index(of: "playstation 5") != nil {
            readWebKit(scan, &device)
        } else if scan.has(.playStation) || scan.has(.nintendo), !scan.has(.opera) {
            readConsole(scan, &device)
        } else if scan.has(.opera) {
            readOpera(scan, &device)
        } else if scan.has(.iEMobile) {
            set("Internet Explorer", scan.version(.iEMobile), &device)
        } else if scan.has(.msie) || scan.has(.trident) {
            set("Internet Explorer", explorerVersion(scan), &device)
        } else if scan.has(.firefox) {
            set("Firefox", scan.version(.firefox), &device)
        } else if scan.has(.chrome) {
            readChrome(scan, &device)
        } else if scan.has(.appleWebKit) || scan.has(.safari) {
            readWebKit(scan, &device)
        } else if scan.has(.netscape) {
            set("Netscape", scan.version(.netscape), &device)
        }
    }

    private static func readOpera(_ scan: AgentScan, _ device: inout Device) {
        if scan.has(.operaMini) {
            set("Opera Mini", scan.version(.operaMini), &device)
        } else {
            set("Opera", scan.version(scan.has(.version) ? .version : .opera), &device)
        }
    }

    /// The consoles before 2013 had a browser of ACCESS, which names itself on some only.
    private static func readConsole(_ scan: AgentScan, _ device: inout Device) {
        let isNew = scan.text.number(at: scan.end(of: .playStation) + 1) > 3
        guard !isNew else { return }
        set(
            scan.has(.appleWebKit) || scan.has(.nintendo) ? "NetFront NX" : "NetFront",
            scan.version(.version), &device)
    }

    private static func readChrome(_ scan: AgentScan, _ device: inout Device) {
        let version = scan.version(.chrome)
        if scan.text.index(of: " mms/1", from: scan.end(of: .safari)) != nil {
            set("Opera Neon", version, &device)
            return
        }
        if scan.has(.android), scan.has(.wv) || scan.has(.version) {
            set("Chrome WebView", version, &device)
        } else {
            set("Chrome", version, &device)
        }
    }

    private static func readWebKit(_ scan: AgentScan, _ device: inout Device) {
        let version = scan.version(.version)
        switch device.os {
        case "iOS":
            let isSafari = scan.has(.safari) && scan.has(.version)
            set(
                isSafari ? "Safari" : "Safari WebView", isSafari ? version : device.osVersion,
                &device)
        case "Android": set("Android Browser", device.osVersion, &device)
        case "BlackBerry OS", "BlackBerry Tablet OS": set("BlackBerry WebKit", version, &device)
        case "Symbian":
            set("Nokia Browser", version, &device)
        case "webOS" where !scan.has(.web0S): set("webOS Browser", version, &device)
        case "Kindle", "WeTab": set(device.os, device.osVersion, &device)
        case "macOS" where !scan.has(.safari): set("Apple Mail", "", &device)
        default:
            guard scan.has(.safari) else { return }
            set("Safari", version, &device)
        }
    }

    private static func set(_ name: String, _ version: String, _ device: inout Device) {
        device.browser = name
        device.browserVersion = version
    }

    /// Explorer's engine tells its version; `MSIE 7.0` may be a later one that pretends.
    private static func explorerVersion(_ scan: AgentScan) -> String {
        let engine = scan.text.number(at: scan.end(of: .trident) + 1)
        if scan.has(.trident), (4...7).contains(engine) { return "\(engine + 4).0" }
        return scan.has(.msie) ? scan.version(.msie) : scan.version(.rv)
    }

    /// A program that no table has names itself first: `Parking Mania/1.9 CFNetwork/548`.
    private static func readProduct(_ scan: AgentScan, _ device: inout Device) {
        guard let name = ProductName.first(scan.text) else { return }
        device.browser = scan.text.text(name)
        device.browserVersion = scan.text.version(behind: name.upperBound)
    }
}
