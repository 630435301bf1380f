internal import Domain

/// What one or several files say of an address.
///
/// Names of members are those of GeoLite2 and GeoIP2 (City, Country, ASN, ISP, Connection-Type,
/// Enterprise; dev.maxmind.com, "GeoIP2 Databases") and of DB-IP, which follows them
/// (db-ip.com/db/format); the flat ones are those of IPinfo and of ip-location-db.
struct PlaceFacts {
    private(set) var place = Place()
    /// Used where no file knows the provider.
    private var organisation = ""
    private var systemOrganisation = ""

    init() {}

    /// Takes what is not known yet from another record. False: it is damaged, and what could be read
    /// of it counts.
    mutating func add(_ section: MaxMindSection, at position: Int) -> Bool {
        guard let record = section.value(at: position) else { return false }
        var budget = MaxMindBudget()
        add(section, record, &budget)
        return !budget.isDamaged
    }

    var result: Place {
        var place = place
        if place.isp.isEmpty {
            place.isp = organisation.isEmpty ? systemOrganisation : organisation
        }
        return place
    }

    /// Does a record say anything that is of use here?
    static func isOfUse(_ section: MaxMindSection, at position: Int) -> Bool {
        var facts = PlaceFacts()
        return facts.add(section, at: position) && facts.result != .unknown
    }

    private mutating func add(
        _ section: MaxMindSection, _ map: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) {
        var members = MaxMindMembers(section, map)
        while let (name, value) = members.next(&budget) {
            switch name.count {
            case 3:
                if name.isWord("asn") { addSystem(section, value) }
                if name.isWord("isp") { set(\.place.isp, section, value) }
            case 4: if name.isWord("city") { addCity(section, value, &budget) }
            case 6:
                if name.isWord("region") { set(\.place.region, section, value) }
                if name.isWord("traits") { addTraits(section, value, &budget) }
            case 7:
                if name.isWord("country") { addCountry(section, value, &budget) }
                if name.isWord("as_name") { set(\.systemOrganisation, section, value) }
            case 12:
                if name.isWord("country_code") { addCountry(section, value, &budget) }
                if name.isWord("organization") { set(\.organisation, section, value) }
                if name.isWord("subdivisions") { addRegion(section, value, &budget) }
            case 15:
                if name.isWord("connection_type") { set(\.place.connectionType, section, value) }
            case 24:
                if name.isWord("autonomous_system_number") { addSystem(section, value) }
            case 30:
                if name.isWord("autonomous_system_organization") {
                    set(\.systemOrganisation, section, value)
                }
            default: break
            }
        }
    }

    /// The members of `traits` that are of use mean the same outside it.
    private mutating func addTraits(
        _ section: MaxMindSection, _ map: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) {
        var members = MaxMindMembers(section, map)
        while let (name, value) = members.next(&budget) {
            if name.isWord("isp") {
                set(\.place.isp, section, value)
            } else if name.isWord("organization") {
                set(\.organisation, section, value)
            } else if name.isWord("connection_type") {
                set(\.place.connectionType, section, value)
            } else if name.isWord("autonomous_system_number") {
                addSystem(section, value)
            } else if name.isWord("autonomous_system_organization") {
                set(\.systemOrganisation, section, value)
            }
        }
    }

    private mutating func addCountry(
        _ section: MaxMindSection, _ value: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) {
        guard place.country.isEmpty else { return }
        let code =
            value.kind == .map ? Self.member("iso_code", section, value, &budget) : value
        guard let code, let text = section.text(code, bytesMax: 2), text.utf8.count == 2,
            text.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return }
        place.country = text
    }

    private mutating func addCity(
        _ section: MaxMindSection, _ value: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) {
        if value.kind == .map {
            if let name = Self.name(section, value, &budget) { set(\.place.city, section, name) }
        } else {
            set(\.place.city, section, value)
        }
    }

    /// The largest subdivision is the first one.
    private mutating func addRegion(
        _ section: MaxMindSection, _ value: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) {
        guard value.kind == .array, value.size > 0, let first = section.value(at: value.start)
        else { return }
        let code = Self.member("iso_code", section, first, &budget)
        if let code, code.size > 0 {
            set(\.place.region, section, code)
        } else if let name = Self.name(section, first, &budget) {
            set(\.place.region, section, name)
        }
    }

    /// A number, or a text such as `AS15169`.
    private mutating func addSystem(_ section: MaxMindSection, _ value: MaxMindSection.Value) {
        guard place.asn == 0 else { return }
        if let number = section.integer(value) {
            place.asn = UInt32(exactly: number) ?? 0
        } else if let text = section.text(value, bytesMax: 12) {
            place.asn = UInt32(text.hasPrefix("AS") ? String(text.dropFirst(2)) : text) ?? 0
        }
    }

    private mutating func set(
        _ fact: WritableKeyPath<PlaceFacts, String>, _ section: MaxMindSection,
        _ value: MaxMindSection.Value
    ) {
        guard self[keyPath: fact].isEmpty, let text = section.text(value) else { return }
        self[keyPath: fact] = Place.text(text)
    }

    /// The English name, or the first there is.
    private static func name(
        _ section: MaxMindSection, _ map: MaxMindSection.Value, _ budget: inout MaxMindBudget
    ) -> MaxMindSection.Value? {
        guard let names = member("names", section, map, &budget) else { return nil }
        if let english = member("en", section, names, &budget) { return english }
        var members = MaxMindMembers(section, names)
        return members.next(&budget)?.value
    }

    private static func member(
        _ wanted: StaticString, _ section: MaxMindSection, _ map: MaxMindSection.Value,
        _ budget: inout MaxMindBudget
    ) -> MaxMindSection.Value? {
        var members = MaxMindMembers(section, map)
        while let (name, value) = members.next(&budget) {
            if name.isWord(wanted) { return value }
        }
        return nil
    }
}
