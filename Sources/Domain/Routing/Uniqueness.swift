/// Within what, and for how long, a visitor that comes again is known.
public struct Uniqueness: Hashable, Sendable {
    public enum Scope: String, CaseIterable, Sendable {
        case campaign
        /// The shared flow's, whichever campaign uses it; of an own flow, the campaign's.
        case flow
        case everywhere
    }

    public let scope: Scope
    /// From the first visit on; a later one is a first visit again.
    public let windowHours: Int

    public static let windowHoursMax: Int64 = 720
    /// Where a campaign has to know its visitors and does not say how.
    public static let standard = Uniqueness(scope: .campaign, windowHours: 24)

    public init(scope: Scope, windowHours: Int) {
        self.scope = scope
        self.windowHours = windowHours
    }

    /// Nil where the campaign says nothing of it.
    init?(campaign: inout DocumentReader) {
        guard var reader = campaign.reader("uniqueness") else { return nil }
        scope = reader.choice("scope", default: .campaign)
        windowHours = Int(
            reader.integer("window_hours", in: 1...Self.windowHoursMax, default: 24))
        reader.finish()
    }

    var document: JSONValue {
        ["scope": .string(scope.rawValue), "window_hours": .integer(windowHours)]
    }
}

/// Where a visitor that comes again is sent.
public enum Rotation: String, CaseIterable, Sendable {
    /// By weight, whatever was before.
    case random
    /// To the same path, lander and offer, while they are open.
    case sticky
    /// To offers and landers that it has not seen, while there are such.
    case unseen
}
