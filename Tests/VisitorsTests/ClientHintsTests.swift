import Domain
import Testing
import Visitors

private let windows =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
private let android =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
private let linux =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"

@Suite struct ClientHintsTests {
    @Test(arguments: [
        ("15.0.0", "11"), ("13.0.0", "11"), ("12.0.0", "10"), ("1.0.0", "10"), ("0.3.0", "8.1"),
        ("0.1", "7"), ("nonsense", "10"), ("", "10"),
    ]) func `the version of Windows is told by hints alone`(version: String, name: String) {
        let told = device(windows, platform: "\"Windows\"", version: "\"\(version)\"")
        #expect(told.os == "Windows")
        #expect(told.osVersion == name)
    }

    @Test func `a phone's model and version are told that its agent hides`() {
        let told = device(
            android, platform: "\"Android\"", version: "\"14.0.0\"", model: "\"Pixel 7\"",
            mobile: "?1")
        #expect([told.brand, told.model, told.osVersion] == ["Google", "Pixel 7", "14"])
        #expect(told.kind == .mobile)
        let tablet = device(
            linux, platform: "\"Android\"", version: "\"13.0.0\"", model: "\"SM-X710\"",
            mobile: "?0")
        #expect([tablet.brand, tablet.os, tablet.osVersion] == ["Samsung", "Android", "13"])
        #expect(tablet.kind == .tablet)
        #expect(device(android, platform: "\"Android\"", form: "\"Tablet\"").kind == .tablet)
        #expect(device(linux, platform: "\"Linux\"", mobile: "?1").kind == .mobile)
    }

    @Test(arguments: [
        (
            "\"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"",
            "Chrome",
            "124.0.0.0"
        ),
        (
            "\"Not A;Brand\";v=\"99.0.0.0\", \"Chromium\";v=\"124.0.6367.91\", \"Google Chrome\";v=\"124.0.6367.91\"",
            "Chrome", "124.0.6367.91"
        ),
        ("\"Chromium\";v=\"124\", \"Brave\";v=\"124\", \"Not-A.Brand\";v=\"99\"", "Brave", "124"),
        (
            "\"Chromium\";v=\"124\", \"Microsoft Edge\";v=\"124\", \"Not-A.Brand\";v=\"99\"",
            "Edge",
            "124"
        ),
        ("\"\\\"Not\\\\A;Brand\";v=\"99\", \"Chromium\";v=\"124\"", "Chrome", "124.0.0.0"),
        ("\"", "Chrome", "124.0.0.0"), ("\"Brave", "Brave", ""),
        ("\"Brave\";v=", "Brave", ""), ("Brave;v=124", "Chrome", "124.0.0.0"),
    ]) func `the list of brands names the browser`(brands: String, name: String, version: String) {
        let told = device(windows, brands: brands)
        #expect([told.browser, told.browserVersion] == [name, version])
    }

    @Test func `hints unmask a browser without a person, and overrule no bot`() {
        let brands = "\"Chromium\";v=\"124\", \"HeadlessChrome\";v=\"124\""
        #expect(device(windows, brands: brands).visit == .bot)
        let crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        #expect(device(crawler, platform: "\"Android\"", mobile: "?1").kind == .bot)
    }

    @Test func `an app keeps its name before its engine's brand`() {
        let agent =
            "Mozilla/5.0 (Linux; Android 13; M2101K6G; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Instagram 325.0.0.35.91 Android"
        let told = device(agent, brands: "\"Android WebView\";v=\"123\", \"Chromium\";v=\"123\"")
        #expect([told.inApp, told.browser] == ["Instagram", "Chrome WebView"])
    }
}
