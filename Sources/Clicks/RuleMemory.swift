internal import Domain

/// Remembers which rules of each campaign's flow a device or a place leaves: looking that up is a
/// hundredth of what working it out for fifty rules costs. One for each event loop and part of a
/// visit.
///
/// Ever new ones make it useless, not larger: each has eight slots that it may lie in, and one that
/// lies there has to go. What lies there is held, so no other can come to have its address.
struct RuleMemory<Subject: AnyObject> {
    /// Some 400 KB for each loop.
    private static var slotsMax: Int { 4096 }
    private static var ways: Int { 8 }

    /// Compared without counting references.
    private struct Key: Equatable {
        let router: ObjectIdentifier
        let subject: ObjectIdentifier
    }

    private var keys = [Key?](repeating: nil, count: slotsMax)
    private var rules = [RuleSet?](repeating: nil, count: slotsMax)
    private var held = [(Router, Subject)?](repeating: nil, count: slotsMax)
    private var turn = 0

    /// Nil: it has to be worked out.
    func rules(of subject: Subject, _ router: Router) -> RuleSet? {
        let key = Key(router: ObjectIdentifier(router), subject: ObjectIdentifier(subject))
        for place in Self.places(of: key) where keys[place] == key { return rules[place] }
        return nil
    }

    /// - Parameter subject: of which nothing is remembered.
    mutating func remember(_ set: RuleSet, of subject: Subject, _ router: Router) {
        let key = Key(router: ObjectIdentifier(router), subject: ObjectIdentifier(subject))
        let places = Self.places(of: key)
        turn &+= 1
        let place = places.first { keys[$0] == nil } ?? places.lowerBound + turn & (Self.ways - 1)
        keys[place] = key
        rules[place] = set
        held[place] = (router, subject)
    }

    /// Of routers that nobody asks any more.
    mutating func forget() { self = RuleMemory() }

    private static func places(of key: Key) -> Range<Int> {
        let one = UInt(bitPattern: key.subject)
        let other = UInt(bitPattern: key.router)
        let hash = UInt64(one &+ other &* 31) &* 0x9E37_79B9_7F4A_7C15
        let first = Int(truncatingIfNeeded: hash >> 32) & (slotsMax - ways)
        return first..<(first + ways)
    }
}
