import Domain
import Foundation
import Testing

@Suite struct CountryTests {
    @Test func `a country is known by its two letters in any case`() {
        #expect(Country("US")?.code == "US")
        #expect(Country("us") == Country("US"))
        #expect(Country("US")?.rawValue == 0x5553)
        #expect(Country("de")?.name == "Germany")
        #expect(Country("CH")?.alpha3 == "CHE")
        #expect(Country("XK")?.name == "Kosovo")
        for text in ["", "U", "USA", "UK", "EN", "ZZ", "U5", " US", "ＵＳ", "é"] {
            #expect(Country(text) == nil, "\(text)")
        }
    }

    @Test func `every country is read back from its code and its number`() {
        #expect(Country.all.count == 250)
        #expect(Set(Country.all.map(\.alpha3)).count == 250)
        #expect(Set(Country.all.map(\.name)).count == 250)
        for country in Country.all {
            #expect(Country(country.code) == country)
            #expect(Country(rawValue: country.rawValue) == country)
        }
        #expect(Country.all.map(\.code) == Country.all.map(\.code).sorted())
    }

    @Test func `the codes are those of the system's list`() throws {
        guard
            let list = try? String(
                contentsOfFile: "/usr/share/zoneinfo/iso3166.tab", encoding: .utf8)
        else { return }  // tzdata is not installed
        let codes = list.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.prefix(2) }
        #expect(Set(codes.map(String.init)).union(["XK"]) == Set(Country.all.map(\.code)))
    }

    @Test(arguments: [
        ("UK", "GB"), ("uk", "GB"), ("USA", "US"), ("usa", "US"), ("DEU", "DE"), ("GER", "DE"),
        ("EN", "GB"), ("EL", "GR"), ("Germany", "DE"), ("germny", "DE"), ("england", "GB"),
        ("United States", "US"), ("United States of America", "US"), ("Turkey", "TR"),
        ("Türkiye", "TR"), ("Swizerland", "CH"), ("Polnd", "PL"), ("Brasil", "BR"), ("UAE", "AE"),
        ("Grate Britain", "GB"),
    ]) func `a country that is called otherwise is recognised`(text: String, code: String) {
        #expect(Country.meant(by: text)?.code == code)
    }

    @Test(arguments: ["", "ZZ", "QQQ", "Atlantis", "x", "U S", String(repeating: "a", count: 500)])
    func `what is like no country gets no suggestion`(text: String) {
        #expect(Country.meant(by: text) == nil)
    }

    @Test func `a wrong code is refused with the one that was meant`() throws {
        #expect(try Country.parse("gb").code == "GB")
        let rule = "must be a two-letter country code of ISO 3166-1, such as US"
        let uk = #expect(throws: CountryError.self) { try Country.parse("UK") }
        #expect(uk?.message == rule + "; did you mean \"GB\" (United Kingdom)?")
        let nobody = #expect(throws: CountryError.self) { try Country.parse("ZZ") }
        #expect(nobody?.message == rule)
    }
}
