import TestSupport
import Testing

@testable import Domain

/// What every comparison of every fact says, where the fact is known and where it is not.
@Suite struct DecisionTableTests {
    /// A line with `#` tells a visit's facts, with ` | ` between them; each line below it, what a
    /// condition is to it.
    static let text = #"""
        # country=US | region=California | city=San Francisco | \#
        isp=Comcast Cable | asn=7922 | connection_type=cable
        yes {"country": "US"}
        yes {"country": "us"}
        no {"country": "CA"}
        yes {"country": ["CA", "US"]}
        no {"country": ["CA", "MX"]}
        no {"country": {"is_not": "US"}}
        yes {"country": {"is_not": "CA"}}
        no {"country": {"not_in": ["US", "CA"]}}
        yes {"country": {"not_in": ["DE", "CA"]}}
        yes {"country": {"exists": true}}
        no {"country": {"exists": false}}
        yes {"region": "california"}
        no {"region": "Nevada"}
        yes {"region": {"contains": "forn"}}
        yes {"region": {"starts_with": "cali"}}
        no {"region": {"starts_with": "fornia"}}
        yes {"city": "san francisco"}
        no {"city": "San"}
        yes {"city": {"matches": "^san .*co$"}}
        no {"city": {"matches": "^francisco"}}
        no {"city": {"not_matches": "^san "}}
        yes {"isp": {"contains": ["verizon", "comcast"]}}
        no {"isp": {"contains": ["verizon", "at&t"]}}
        yes {"isp": {"not_contains": "verizon"}}
        no {"isp": {"not_contains": ["verizon", "cable"]}}
        yes {"asn": 7922}
        yes {"asn": "7922"}
        no {"asn": 7923}
        yes {"asn": {"range": [7000, 8000]}}
        no {"asn": {"range": [7923, null]}}
        yes {"asn": {"range": [null, 7922]}}
        no {"asn": {"not_in": [1, 7922]}}
        yes {"asn": {"not_in": [1, 2]}}
        yes {"connection_type": "cable"}
        no {"connection_type": "cellular"}
        yes {"country": "US", "region": "California"}
        no {"country": "US", "region": "Nevada"}
        yes {"any": [{"country": "DE"}, {"city": "San Francisco"}]}
        no {"any": [{"country": "DE"}, {"city": "Berlin"}]}
        #
        unknown {"country": "US"}
        unknown {"country": {"is_not": "US"}}
        unknown {"country": {"not_in": ["US", "DE"]}}
        unknown {"country": ["US", "DE"]}
        no {"country": {"exists": true}}
        yes {"country": {"exists": false}}
        unknown {"region": "California"}
        unknown {"region": {"not_contains": "x"}}
        unknown {"city": {"matches": ".*"}}
        unknown {"city": {"not_matches": ".*"}}
        unknown {"isp": {"contains": "x"}}
        unknown {"isp": {"is_not": "x"}}
        unknown {"asn": 1}
        unknown {"asn": {"range": [1, null]}}
        unknown {"asn": {"not_in": [1]}}
        unknown {"connection_type": {"is_not": "cellular"}}
        unknown {"not": {"country": "US"}}
        unknown {"all": [{"country": "US"}, {"var1": {"exists": false}}]}
        no {"all": [{"country": "US"}, {"var1": {"exists": true}}]}
        yes {"any": [{"country": "US"}, {"var1": {"exists": false}}]}
        unknown {"any": [{"country": "US"}, {"var1": {"exists": true}}]}
        no {"device": "mobile"}
        yes {"device": {"is_not": "mobile"}}
        yes {"device": {"not_in": ["mobile", "tablet"]}}
        no {"brand": "Apple"}
        yes {"brand": {"is_not": "Apple"}}
        no {"model": {"contains": "Pixel"}}
        yes {"model": {"not_contains": "Pixel"}}
        no {"os": "Android"}
        yes {"os": {"is_not": "Android"}}
        no {"os_version": {"range": ["1", null]}}
        no {"os_version": "13"}
        yes {"os_version": {"is_not": "13"}}
        no {"browser": ["Chrome", "Safari"]}
        yes {"browser": {"not_in": ["Chrome", "Safari"]}}
        no {"browser_version": {"range": [null, "99"]}}
        no {"in_app": "Facebook"}
        yes {"in_app": {"exists": false}}
        no {"in_app": {"exists": true}}
        no {"language": "en"}
        yes {"language": {"is_not": "en"}}
        no {"referrer": {"contains": "a"}}
        yes {"referrer": {"exists": false}}
        no {"referrer_domain": "example.com"}
        yes {"referrer_domain": {"is_not": "example.com"}}
        no {"user_agent": {"matches": "."}}
        yes {"user_agent": {"not_matches": "."}}
        no {"param:kw": "a"}
        yes {"param:kw": {"is_not": "a"}}
        no {"param:kw": {"exists": true}}
        yes {"param:kw": {"exists": false}}
        no {"param:kw": {"range": [null, 5]}}
        no {"var1": "1"}
        yes {"var20": {"not_in": ["1", "2"]}}
        no {"header:x-app": {"exists": true}}
        yes {"header:x-app": {"exists": false}}
        yes {}
        no {"not": {}}
        yes {"all": []}
        no {"not": {"all": []}}
        # device=mobile | brand=Samsung | model=SM-G991B | os=Android | os_version=13 |\#
         browser=Chrome Mobile | browser_version=118.0.5993 | in_app=Instagram | bot=false |\#
         visit=visitor
        yes {"device": "mobile"}
        yes {"device": ["mobile", "tablet"]}
        yes {"device": "Mobile"}
        no {"device": "desktop"}
        no {"device": {"is_not": "mobile"}}
        yes {"device": {"not_in": ["desktop", "tv"]}}
        yes {"brand": "samsung"}
        no {"brand": "Apple"}
        yes {"brand": {"not_in": ["Apple", "Xiaomi"]}}
        yes {"model": {"starts_with": "SM-G"}}
        no {"model": {"starts_with": "SM-A"}}
        yes {"model": {"matches": "^sm-g99[0-9]"}}
        no {"model": {"matches": "^sm-g98"}}
        yes {"os": "android"}
        no {"os": ["iOS", "Windows"]}
        yes {"os": {"is_not": "iOS"}}
        yes {"os_version": "13"}
        yes {"os_version": 13}
        yes {"os_version": "13.0"}
        no {"os_version": "13.1"}
        no {"os_version": "12"}
        yes {"os_version": {"range": ["10", "13"]}}
        yes {"os_version": {"range": ["13", null]}}
        no {"os_version": {"range": ["13.0.1", null]}}
        yes {"os_version": {"range": [null, "13.9"]}}
        no {"os_version": {"range": [null, "12.9.9"]}}
        yes {"os_version": {"in": ["12", "13"]}}
        no {"os_version": {"not_in": ["12", "13"]}}
        yes {"os_version": {"is_not": "12"}}
        yes {"browser": "chrome mobile"}
        no {"browser": "Chrome"}
        yes {"browser": {"contains": "chrome"}}
        yes {"browser": {"starts_with": "chrome"}}
        yes {"browser_version": {"range": ["118", null]}}
        yes {"browser_version": {"range": ["100", "118.0.5993"]}}
        no {"browser_version": {"range": ["119", null]}}
        yes {"browser_version": "118"}
        yes {"browser_version": "118.0.5993"}
        yes {"browser_version": {"range": ["9", "200"]}}
        yes {"in_app": "instagram"}
        yes {"in_app": {"exists": true}}
        no {"in_app": {"exists": false}}
        no {"in_app": {"not_in": ["Facebook", "Instagram"]}}
        no {"bot": true}
        yes {"bot": false}
        yes {"bot": {"is": false}}
        no {"bot": {"is_not": false}}
        yes {"bot": {"is_not": true}}
        yes {"visit": "visitor"}
        no {"visit": ["bot", "prefetch", "preview"]}
        yes {"visit": {"not_in": ["bot", "prefetch"]}}
        yes {"device": "mobile", "os": "Android", "os_version": {"range": ["10", null]}}
        no {"device": "mobile", "os": "Android", "os_version": {"range": ["14", null]}}
        yes {"any": [{"os": "iOS", "os_version": {"range": ["16", null]}}, {"os": "Android",\#
         "os_version": {"range": ["12", null]}}]}
        no {"any": [{"os": "iOS"}, {"os": "Android", "os_version": {"range": ["14", null]}}]}
        yes {"not": {"os": "iOS"}}
        no {"not": {"any": [{"os": "iOS"}, {"device": "mobile"}]}}
        yes {"not": {"all": [{"os": "Android"}, {"device": "desktop"}]}}
        # os=iOS | os_version=17.0.3 | browser=Mobile Safari | browser_version=17.0 | device=tablet
        yes {"os_version": {"range": ["17", "17.1"]}}
        yes {"os_version": {"range": ["17.0.3", "17.0.3"]}}
        no {"os_version": {"range": ["17.0.4", null]}}
        no {"os_version": {"range": [null, "17.0.2"]}}
        yes {"os_version": "17"}
        yes {"os_version": "17.0"}
        yes {"os_version": "17.0.3"}
        yes {"os_version": "17.0.3.0"}
        no {"os_version": "17.0.30"}
        yes {"os_version": {"range": ["9.9.9", "17.0.10"]}}
        no {"os_version": {"range": ["17.10", null]}}
        yes {"os_version": {"starts_with": "17."}}
        yes {"browser_version": "17"}
        yes {"browser_version": {"range": [17, 17]}}
        # os=Windows | os_version=XP
        yes {"os_version": {"matches": "^xp$"}}
        yes {"os_version": {"contains": "XP"}}
        no {"os_version": {"range": ["1", "100"]}}
        no {"os_version": "10"}
        yes {"os_version": {"is_not": "10"}}
        # visit=bot | bot=true
        yes {"bot": true}
        no {"bot": false}
        yes {"visit": "bot"}
        yes {"visit": ["bot", "preview"]}
        no {"visit": "visitor"}
        no {"visit": {"is_not": "bot"}}
        # unique=true | click_number=1
        yes {"unique": true}
        no {"unique": false}
        yes {"click_number": 1}
        no {"click_number": 2}
        yes {"click_number": {"range": [1, 3]}}
        no {"click_number": {"range": [2, null]}}
        yes {"click_number": {"not_in": [2, 3]}}
        # unique=false | click_number=5
        no {"unique": true}
        yes {"unique": false}
        yes {"click_number": {"range": [5, null]}}
        no {"click_number": {"range": [null, 4]}}
        yes {"click_number": [4, 5]}
        no {"click_number": {"is_not": 5}}
        # language=pt-br
        yes {"language": "pt"}
        yes {"language": "pt-BR"}
        no {"language": "pt-PT"}
        no {"language": "p"}
        yes {"language": ["en", "pt"]}
        no {"language": ["en", "es"]}
        no {"language": {"is_not": "pt"}}
        yes {"language": {"is_not": "pt-pt"}}
        yes {"language": {"not_in": ["en", "es"]}}
        no {"language": {"not_in": ["en", "pt"]}}
        yes {"language": {"starts_with": "pt"}}
        # language=en
        yes {"language": "en"}
        no {"language": "en-us"}
        yes {"language": {"is_not": "en-us"}}
        # referrer=https://www.News.example.co.uk/a/b?q=shoes#top |\#
         referrer_domain=www.News.example.co.uk
        yes {"referrer": {"contains": "q=shoes"}}
        no {"referrer": {"contains": "q=hats"}}
        yes {"referrer": {"starts_with": "HTTPS://"}}
        yes {"referrer": {"matches": "example\\.co\\.uk/a/"}}
        no {"referrer": "https://www.news.example.co.uk/"}
        yes {"referrer": {"exists": true}}
        yes {"referrer_domain": "example.co.uk"}
        yes {"referrer_domain": "news.example.co.uk"}
        yes {"referrer_domain": "www.news.example.co.uk"}
        no {"referrer_domain": "a.www.news.example.co.uk"}
        no {"referrer_domain": "ample.co.uk"}
        no {"referrer_domain": "example.co"}
        yes {"referrer_domain": "uk"}
        yes {"referrer_domain": ["google.com", "example.co.uk"]}
        no {"referrer_domain": ["google.com", "bing.com"]}
        no {"referrer_domain": {"is_not": "example.co.uk"}}
        yes {"referrer_domain": {"is_not": "google.com"}}
        no {"referrer_domain": {"not_in": ["google.com", "co.uk"]}}
        yes {"referrer_domain": {"starts_with": "www."}}
        # user_agent=Mozilla/5.0 (Linux; Android 13; SM-G991B) AppleWebKit/537.36
        yes {"user_agent": {"contains": "android 13"}}
        no {"user_agent": {"contains": "iphone"}}
        yes {"user_agent": {"contains": ["iphone", "SM-"]}}
        yes {"user_agent": {"not_contains": ["iphone", "ipad"]}}
        yes {"user_agent": {"matches": "android (1[0-9]|9)"}}
        no {"user_agent": {"matches": "android [1-8][^0-9]"}}
        no {"user_agent": {"not_matches": "applewebkit"}}
        yes {"user_agent": {"starts_with": "mozilla/5.0"}}
        no {"user_agent": "Mozilla/5.0"}
        yes {"user_agent": {"contains": "android", "not_contains": "wv)"}}
        no {"user_agent": {"contains": "android", "not_contains": "sm-"}}
        # param:kw=Red Shoes | param:age=34.5 | param:bid=-0.25 | param:id=007 |\#
         param:text=12 apples | param:star=a*b
        yes {"param:kw": "red shoes"}
        no {"param:kw": "red"}
        no {"param:KW": "red shoes"}
        yes {"param:kw": ["blue", "RED SHOES"]}
        no {"param:kw": {"is_not": "Red Shoes"}}
        yes {"param:kw": {"contains": "shoe"}}
        no {"param:kw": {"contains": "shoes "}}
        yes {"param:kw": {"starts_with": "red "}}
        yes {"param:kw": {"matches": "^(red|blue)\\s+shoes$"}}
        yes {"param:age": {"range": [18, 40]}}
        yes {"param:age": {"range": ["34.5", "34.5"]}}
        no {"param:age": {"range": [35, null]}}
        no {"param:age": {"range": [null, "34.49"]}}
        yes {"param:age": "34.5"}
        yes {"param:age": 34.5}
        no {"param:age": "34.50"}
        yes {"param:bid": {"range": [-1, 0]}}
        no {"param:bid": {"range": [0, null]}}
        yes {"param:id": "007"}
        no {"param:id": "7"}
        no {"param:id": 7}
        yes {"param:id": {"range": [7, 7]}}
        no {"param:text": {"range": [12, 12]}}
        yes {"param:text": {"starts_with": 12}}
        yes {"param:star": "a*b"}
        no {"param:star": "axb"}
        yes {"param:star": {"contains": "*"}}
        yes {"param:star": {"matches": "a\\*b"}}
        yes {"param:kw": "red shoes", "param:age": {"range": [30, 40]}}
        no {"param:kw": "red shoes", "param:age": {"range": [40, 50]}}
        # var1=39485 | var2=banner | var20=last
        yes {"var1": "39485"}
        yes {"var1": 39485}
        no {"var1": 3948}
        yes {"var1": {"range": [39485, 39485]}}
        yes {"var1": {"in": ["1", "39485"]}}
        yes {"var2": ["native", "banner"]}
        no {"var2": {"not_in": ["native", "banner"]}}
        no {"var3": "banner"}
        yes {"var3": {"is_not": "banner"}}
        yes {"var20": "LAST"}
        no {"var1": "banner", "var2": "banner"}
        yes {"any": [{"var1": "banner"}, {"var2": "banner"}]}
        yes {"all": [{"var1": "39485"}, {"any": [{"var2": "x"}, {"var20": "last"}]}]}
        no {"all": [{"var1": "39485"}, {"not": {"var20": "last"}}]}
        yes {"not": {"not": {"var20": "last"}}}
        yes {"var1": {"is": "39485", "is_not": "1", "exists": true}}
        no {"var1": {"is": "39485", "exists": false}}
        # header:x-requested-with=com.Instagram.android | header:sec-fetch-site=cross-site
        yes {"header:X-Requested-With": "com.instagram.android"}
        yes {"header:x-requested-with": {"contains": "instagram"}}
        no {"header:x-requested-with": {"contains": "facebook"}}
        yes {"header:Sec-Fetch-Site": ["cross-site", "none"]}
        no {"header:sec-fetch-site": {"is_not": "cross-site"}}
        no {"header:sec-fetch-mode": "navigate"}
        yes {"header:sec-fetch-mode": {"is_not": "navigate"}}
        # ip=203.0.113.9 | ip_version=4
        yes {"ip": "203.0.113.9"}
        no {"ip": "203.0.113.8"}
        yes {"ip": "203.0.113.0/24"}
        yes {"ip": "203.0.113.8/31"}
        no {"ip": "203.0.113.10/31"}
        yes {"ip": "0.0.0.0/0"}
        no {"ip": "::/0"}
        no {"ip": "2001:db8::/32"}
        yes {"ip": ["10.0.0.0/8", "203.0.112.0/23"]}
        no {"ip": ["10.0.0.0/8", "192.168.0.0/16"]}
        no {"ip": {"is_not": "203.0.113.0/24"}}
        yes {"ip": {"not_in": ["10.0.0.0/8", "2001:db8::/32"]}}
        yes {"ip": {"exists": true}}
        yes {"ip_version": 4}
        no {"ip_version": 6}
        yes {"ip_version": {"is_not": 6}}
        yes {"ip_version": [4, 6]}
        # ip=2001:db8:0:1::5 | ip_version=6
        yes {"ip": "2001:db8::/32"}
        yes {"ip": "2001:db8:0:1::/64"}
        no {"ip": "2001:db8:0:2::/64"}
        yes {"ip": "2001:DB8:0:1:0:0:0:5"}
        no {"ip": "0.0.0.0/0"}
        yes {"ip": "::/0"}
        yes {"ip_version": 6}
        no {"ip": {"not_in": ["2001:db8::/32"]}}
        # at=2026-11-20T23:05:00Z
        yes {"weekday": "fri"}
        yes {"weekday": ["mon", "friday"]}
        no {"weekday": ["sat", "sun"]}
        no {"weekday": {"is_not": "fri"}}
        yes {"weekday": {"not_in": ["sat", "sun"]}}
        yes {"weekday": {"is": "sat", "time_zone": "+01:00"}}
        no {"weekday": {"is": "fri", "time_zone": "+01:00"}}
        yes {"weekday": {"is": "fri", "time_zone": "-11:00"}}
        yes {"hour": 23}
        no {"hour": 22}
        yes {"hour": {"range": [22, 5]}}
        no {"hour": {"range": [9, 18]}}
        yes {"hour": {"range": [0, 1], "time_zone": "+02:00"}}
        yes {"hour": {"is": 4, "time_zone": "+05:30"}}
        no {"hour": {"not_in": [22, 23]}}
        yes {"weekday": "fri", "hour": {"range": [20, 23]}}
        """#

    struct Row: Sendable {
        let facts: [String: String]
        let expected: String
        let condition: String
    }

    static let rows: [Row] = {
        var rows: [Row] = []
        var facts: [String: String] = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                facts = [:]
                for pair in line.dropFirst(2).split(separator: " | ") {
                    let sides = pair.split(separator: "=", maxSplits: 1)
                    facts[String(sides[0])] = String(sides[1])
                }
            } else {
                let parts = line.split(separator: " ", maxSplits: 1)
                rows.append(
                    Row(facts: facts, expected: String(parts[0]), condition: String(parts[1])))
            }
        }
        return rows
    }()

    @Test func `the table is as long as it was`() { #expect(Self.rows.count == 334) }

    /// What is unknown makes neither the condition hold nor its opposite.
    @Test(arguments: rows.indices)
    func `a condition is what the table says`(index: Int) throws {
        let row = Self.rows[index]
        let condition = try JSONValue(parsing: row.condition)
        let holds = try Self.holds(condition, row.facts)
        let opposite = try Self.holds(["not": condition], row.facts)
        let found = holds ? "yes" : opposite ? "no" : "unknown"
        #expect(!(holds && opposite))
        #expect(found == row.expected, "\(row.facts) \(row.condition)")
    }

    private static func holds(_ condition: JSONValue, _ facts: [String: String]) throws -> Bool {
        let flow = try ConditionTests.flow(rules: [
            ["when": condition, "paths": [ConditionTests.path]]
        ])
        let router = Router(flow, version: 1)
        let sheet = FactSheet()
        let at = try facts["at"].map { try #require(Instant(rfc3339: $0)) }
        sheet.begin(at: at ?? Instant(micros: 0), ip: facts["ip"].flatMap { IPAddress($0) })
        for fact in router.facts {
            sheet.append(facts[fact.name].map { Array($0.utf8) })
        }
        return router.decide(try #require(ClickRowID(rawValue: 1)), sheet)?.rule == 1
    }
}
