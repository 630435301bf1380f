/// Words of user agents that decide only together with others.
enum AgentMark: UInt8, CaseIterable, Sendable {
    // Systems
    case android, adr, iPhone, iPad, iPod, iOS, iPadOS, cfNetwork, darwin, macintosh, macOS, macWord
    case macPPC, windows, windowsCE, win, nt, phoneWord, wds
    case linux, x11, crOS, ubuntu, debian, fedora, redHat, mandriva, suse
    case freeBSD, openBSD, netBSD, bsd, sunOS, serenity, haiku, os2
    case blackBerry, bb10, playBook, symbian, series60, series40, series30, meego, maemo, kaiOS
    case webOS, hpwOS, web0S, tizen, harmony, openHarmony, sailfish, bada, brew, brewMP, vre
    case fuchsia, watchOS, tvOS, weTab, webTV
    // Engines and structure
    case mozilla, compatible, appleWebKit, trident, msie, version, safari
    case chrome, firefox, opera, operaMini, operaMobi, iEMobile, netscape, mobile
    case tablet, wv, dalvik, arm, rv
    // Devices
    case tv, smartTV, appleTV, hbbTV, netCast, googleTV, androidTV, crKey, roku, viera, bravia
    case webOSTV, dtv, netTV, inetTV, homePod, xbox, playStation, nintendo
    case dreamcast, watch, kindle, midp, cldc, j2me, wap, upBrowser, macBook, ppc

    /// What stands for each; `*` as in `AgentWord`.
    static let words: [(StaticString, AgentMark)] = [
        ("android*", .android), ("adr", .adr), ("iphone*", .iPhone), ("iph*", .iPhone),
        ("iphoneos", .iPhone), ("ipad*", .iPad), ("ipod*", .iPod), ("ipd*", .iPod), ("ios*", .iOS),
        ("ipados*", .iPadOS), ("cfnetwork", .cfNetwork), ("darwin", .darwin),
        ("macintosh", .macintosh), ("macos*", .macOS), ("mac", .macWord), ("mac_powerpc", .macPPC),
        ("mac_os_x", .macOS), ("windows*", .windows), ("win*", .win), ("winnt*", .win),
        ("wince", .windowsCE),
        ("windowsce", .windowsCE), ("ce", .windowsCE), ("nt*", .nt), ("phone", .phoneWord),
        ("wds", .wds), ("linux*", .linux), ("linux-gnu", .linux), ("x86_64-linux", .linux),
        ("x11", .x11), ("cros", .crOS), ("ubuntu*", .ubuntu), ("debian*", .debian),
        ("fedora*", .fedora), ("x86_64-redhat-linux-gnu", .redHat),
        ("mandriva", .mandriva), ("suse", .suse), ("freebsd*", .freeBSD),
        ("openbsd*", .openBSD), ("netbsd*", .netBSD), ("bsd", .bsd), ("sunos*", .sunOS),
        ("solaris*", .sunOS), ("serenityos", .serenity), ("haiku", .haiku), ("os2", .os2),
        ("blackberry*", .blackBerry), ("bb10", .bb10), ("playbook", .playBook),
        ("symbian*", .symbian), ("symbianos*", .symbian), ("symbos", .symbian),
        ("series60", .series60), ("s60", .series60), ("s60v3", .series60), ("s60v5", .series60),
        ("series40", .series40), ("series30plus", .series30), ("meego", .meego),
        ("maemo", .maemo), ("kaios", .kaiOS), ("webos*", .webOS), ("hpwos", .hpwOS),
        ("web0s", .web0S), ("webos.tv", .webOSTV), ("webostv", .webOSTV), ("tizen*", .tizen),
        ("harmonyos", .harmony), ("openharmony*", .openHarmony), ("sailfish", .sailfish),
        ("bada", .bada), ("brew*", .brew), ("bmp", .brewMP), ("vre", .vre),
        ("fuchsia", .fuchsia), ("watchos", .watchOS), ("tvos", .tvOS),
        ("wetab-browser", .weTab), ("webtv", .webTV),

        ("mozilla", .mozilla), ("compatible", .compatible), ("applewebkit*", .appleWebKit),
        ("webkit", .appleWebKit), ("trident", .trident),
        ("msie*", .msie), ("version", .version), ("safari", .safari),
        ("chrome", .chrome), ("firefox*", .firefox), ("opera", .opera), ("mini", .operaMini),
        ("mobi", .operaMobi), ("iemobile", .iEMobile), ("netscape*", .netscape),
        ("netscape6", .netscape), ("mobile", .mobile), ("tablet", .tablet), ("wv", .wv),
        ("dalvik", .dalvik), ("arm", .arm), ("rv", .rv),

        ("tv", .tv), ("smarttv*", .smartTV), ("smart-tv", .smartTV),
        ("samsung-smart-tv", .smartTV), ("hdplussmarttv", .smartTV), ("smarttva", .smartTV),
        ("tv-smarttv-500", .smartTV), ("appletv*", .appleTV), ("hbbtv", .hbbTV),
        ("netcast*", .netCast), ("netcast.tv-2013", .netCast), ("googletv", .googleTV),
        ("androidtv", .androidTV), ("crkey", .crKey), ("roku*", .roku), ("viera*", .viera),
        ("bravia", .bravia), ("dtv*", .dtv), ("nettv", .netTV), ("inettvbrowser", .inetTV),
        ("dtvnetbrowser", .inetTV), ("tsbnettv", .inetTV), ("philipstv", .netTV),
        ("ce-html", .netTV), ("netrangemmh", .netTV), ("aquostv", .dtv), ("aquosbrowser", .dtv),
        ("sonyceb*", .dtv), ("maple*", .smartTV), ("homepod", .homePod),
        ("audioaccessory*", .homePod),
        ("xbox*", .xbox), ("playstation*", .playStation), ("psp", .playStation),
        ("nintendo", .nintendo), ("dreamcast", .dreamcast), ("watch*", .watch),
        ("kindle*", .kindle), ("midp*", .midp),
        ("cldc*", .cldc), ("j2me", .j2me), ("wap*", .wap),
        ("up.link", .upBrowser), ("macbook*", .macBook), ("macbookpro*", .macBook),
        ("macbookair*", .macBook), ("imac*", .macBook), ("macmini*", .macBook),
        ("macpro*", .macBook), ("ppc", .ppc),
    ]
}
