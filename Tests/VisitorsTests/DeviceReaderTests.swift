import Domain
import Testing
import Visitors

/// A real agent, and what there is to know of it: kind, brand, model, system and its version,
/// browser and its version, app.
private typealias Row = (agent: String, told: [String])

private let agents: [Row] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        ["desktop", "", "", "Windows", "10", "Chrome", "124.0.0.0", ""]
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
        ["desktop", "Apple", "", "macOS", "10.15.7", "Safari", "17.4.1", ""]
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
        ["desktop", "", "", "Ubuntu", "", "Firefox", "125.0", ""]
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
        ["desktop", "", "", "Windows", "10", "Edge", "124.0.2478.51", ""]
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
        ["mobile", "Apple", "iPhone", "iOS", "17.4.1", "Safari", "17.4.1", ""]
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1",
        ["tablet", "Apple", "iPad", "iOS", "16.7", "Chrome", "124.0.6367.88", ""]
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.6367.82 Mobile Safari/537.36",
        ["mobile", "Google", "Pixel 8 Pro", "Android", "14", "Chrome", "124.0.6367.82", ""]
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
        ["mobile", "", "", "Android", "10", "Chrome", "124.0.0.0", ""]
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SM-X906C Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/80.0.3987.119 Safari/537.36",
        ["tablet", "Samsung", "SM-X906C", "Android", "13", "Chrome WebView", "80.0.3987.119", ""]
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36",
        ["mobile", "Samsung", "SAMSUNG SM-S918B", "Android", "13", "Samsung Internet", "21.0", ""]
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; KFTT Build/IML74K) AppleWebKit/537.36 (KHTML, like Gecko) Silk/3.68 like Chrome/39.0.2171.93 Safari/537.36",
        ["tablet", "Amazon", "KFTT", "Android", "4.0.3", "Amazon Silk", "3.68", ""]
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 [FBAN/FBIOS;FBAV/458.0.0.38.110;FBBV/586543786;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.4;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]",
        ["mobile", "Apple", "iPhone", "iOS", "17.4", "Safari WebView", "17.4", "Facebook"]
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; M2101K6G Build/TKQ1.221013.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Instagram 325.0.0.35.91 Android (33/13; 440dpi; 1080x2180; Xiaomi/Redmi; M2101K6G; sweet; qcom; de_DE; 581856836)",
        [
            "mobile", "Xiaomi", "M2101K6G", "Android", "13", "Chrome WebView", "123.0.6312.118",
            "Instagram",
        ]
    ),
    (
        "Mozilla/5.0 (Linux; Android 12; CPH2185 Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.99 Mobile Safari/537.36 trill_340203 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/34.2.3 ByteLocale/en ByteFullLocale/en Region/PH BytedanceWebview/d8a21c6",
        [
            "mobile", "OPPO", "CPH2185", "Android", "12", "Chrome WebView", "123.0.6312.99",
            "TikTok",
        ]
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21D61 Snapchat/12.81.0.40 (like Safari/8617.2.4.10.8, panda)",
        ["mobile", "Apple", "iPhone", "iOS", "17.3.1", "Safari WebView", "17.3.1", "Snapchat"]
    ),
    (
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
        ["tv", "", "", "Tizen", "6.0", "Safari", "", ""]
    ),
    (
        "Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/118.0.0.0 Mobile Safari/537.36",
        ["tv", "Amazon", "AFTMM", "Android", "9", "Chrome WebView", "118.0.0.0", ""]
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15",
        ["console", "Sony", "", "", "", "Safari", "15.4", ""]
    ),
    (
        "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
        ["mobile", "Nokia", "Nokia", "KaiOS", "2.5", "Firefox", "48.0", ""]
    ),
    (
        "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
        ["mobile", "", "", "Android", "", "Opera Mini", "36.2.2254", ""]
    ),
]

@Suite struct DeviceReaderTests {
    @Test(arguments: agents.indices)
    func `an agent tells the device, the system and the browser`(row: Int) {
        let device = device(agents[row].agent)
        #expect(
            [
                device.kind.rawValue, device.brand, device.model, device.os, device.osVersion,
                device.browser, device.browserVersion, device.inApp,
            ] == agents[row].told, "\(agents[row].agent)")
        #expect(device.visit == .visitor)
    }

    @Test func `an empty user agent tells nothing`() {
        #expect(device("") == .unknown)
    }

    @Test(arguments: [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.84 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.28 Safari/537.36",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "SomeUnknownCrawler/0.3 (+https://crawler.example)",
    ]) func `a crawler is a bot`(agent: String) {
        #expect(device(agent).visit == .bot)
        #expect(device(agent).kind == .bot)
    }

    @Test(arguments: [
        "curl/8.5.0", "Wget/1.21.4", "python-requests/2.31.0", "Go-http-client/1.1",
        "okhttp/4.12.0", "Java/17.0.2", "axios/1.6.8",
    ]) func `a library is no device, and may be anybody's`(agent: String) {
        #expect(device(agent).visit == .visitor)
        #expect(device(agent).kind == .bot)
    }

    @Test(arguments: [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "WhatsApp/2.23.20.0", "WhatsApp/2.24.6.77 A", "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Twitterbot/1.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
        "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
        "Viber/13.3.0.5 CFNetwork/1220.1 Darwin/20.3.0 ViberLinkPreview",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    ]) func `who draws a link's preview is no visitor`(agent: String) {
        #expect(device(agent).visit == .preview)
    }

    @Test(arguments: [
        "Mozilla/5.0 (Linux; Android 10; CUBOT X30 Build/QP1A.190711.020; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/83.0.4103.106 Mobile Safari/537.36",
        "Nokia2700c-2-07.80 JConf/CLDC-1.1 JProf/MIDP-2.1 Encoding/ISO-8859-1 Locale/en Lang/ar Caps/348 Morange/6.0.4.110729 Domain/@voda_egypt",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Pinterest for iOS/10.26",
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Mozilla/5.0 (Linux; Android 9; SM-G960F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0 Mobile Safari/537.36 WhatsApp/2.21.9 Device/SM-G960F",
    ]) func `who only looks like a bot is a visitor`(agent: String) {
        #expect(device(agent).visit == .visitor)
        #expect(device(agent).kind != .bot)
    }

    @Test func `a name that no table has goes to reports without control characters`() {
        #expect(
            device("Fancy\u{1B}[31m\u{E9}App/3.1 CFNetwork/1410 Darwin/22.6.0").browser == "Fancy")
        #expect(device("Fáncy App/3.1 CFNetwork/1410 Darwin/22.6.0").browser == "F??ncy App")
    }
}
