/// What part of a visit a fact is read from. The same devices and places come again and again, so
/// what rules make of them is worth remembering; the rest differs from click to click.
enum VisitPart {
    /// What the visitor's browser tells of itself.
    case device
    /// Where the location files see its address.
    case place
    case click
}

extension Fact {
    var part: VisitPart {
        switch self {
        case .device, .brand, .model, .os, .osVersion, .browser, .browserVersion, .inApp, .language,
            .userAgent:
            .device
        case .country, .region, .city, .isp, .asn, .connectionType: .place
        case .ip, .ipVersion, .referrer, .referrerDomain, .parameter, .variable, .header, .weekday,
            .hour, .unique, .bot, .visit, .clickNumber:
            .click
        }
    }
}

extension Condition.Node {
    /// Which must all hold for it to hold.
    var conjuncts: [Condition.Node] {
        guard case .all(let nodes) = self else { return [self] }
        return nodes.flatMap(\.conjuncts)
    }

    /// The part that all its facts are of; what asks for several differs with each click.
    var part: VisitPart {
        let facts = facts
        guard let first = facts.first?.part else { return .click }
        return facts.allSatisfy { $0.part == first } ? first : .click
    }
}
