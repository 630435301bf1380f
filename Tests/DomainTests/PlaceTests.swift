import Testing

@testable import Domain

@Suite struct PlaceTests {
    private func unpack(_ text: String) -> Place? {
        Array(text.utf8).withUnsafeBytes { Place(packed: $0) }
    }

    @Test func `a place is packed and read again`() {
        var place = Place()
        place.country = "US"
        #expect(place.packed == Array("US".utf8))
        place.asn = .max
        #expect(String(decoding: place.packed, as: UTF8.self) == "US\t\t\t\t4294967295")
        place.city = "São Paulo"
        place.connectionType = "Cable/DSL"
        #expect(unpack(String(decoding: place.packed, as: UTF8.self)) == place)
        var later = Place()
        later.isp = "Net"
        #expect(String(decoding: later.packed, as: UTF8.self) == "\t\t\tNet")
        #expect(unpack("\t\t\tNet") == later)
    }

    @Test func `an unknown place has no bytes, and a later version's fields are left out`() {
        #expect(Place.unknown.packed.isEmpty && unpack("") == nil)
        var place = Place()
        place.country = "DE"
        place.connectionType = "Cellular"
        #expect(unpack("DE\t\t\t\tx\tCellular\tmore\tand more") == place)
    }

    @Test func `values have the names of tokens and conditions`() {
        var place = Place()
        #expect(place.value(of: Token.country) == nil && place.value(of: Fact.asn) == nil)
        place.country = "DE"
        place.asn = 64_496
        #expect(place.value(of: Token.country) == "DE" && place.value(of: Fact.asn) == "64496")
        #expect(place.value(of: Token.city) == nil && place.value(of: Token.browser) == nil)
        #expect(
            Place.facts.map(\.name) == [
                "country", "region", "city", "isp", "asn", "connection_type",
            ])
    }
}
