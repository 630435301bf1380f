internal import Domain

/// Remembers which rules of each campaign's flow a device or a place leaves: looking that up is a
/// hundredth of what working it out for fifty rules costs. One for each event loop and part of a
/// visit.
///
/// Ever new ones make it useless, not larger: each has one slot that it may lie in, and the newer
/// one stays. What lies there is held, so no other can come to have its address.
struct RuleMemory<Subject: AnyObject> {
    /// Some 100 KB for each loop.
    private static var slotsMax: Int { 1024 }

    private struct Slot {
        let router: Router
        let subject: Subject
        let rules: RuleSet
    }

    private var slots = [Slot?](repeating: nil, count: slotsMax)

    /// Nil: it has to be worked out.
    func rules(of subject: Subject, _ router: Router) -> RuleSet? {
        guard let slot = slots[Self.index(subject, router)], slot.subject === subject,
            slot.router === router
        else { return nil }
        return slot.rules
    }

    mutating func remember(_ rules: RuleSet, of subject: Subject, _ router: Router) {
        slots[Self.index(subject, router)] = Slot(router: router, subject: subject, rules: rules)
    }

    /// Of routers that nobody asks any more.
    mutating func forget() { slots = [Slot?](repeating: nil, count: Self.slotsMax) }

    private static func index(_ subject: Subject, _ router: Router) -> Int {
        let one = UInt(bitPattern: ObjectIdentifier(subject))
        let other = UInt(bitPattern: ObjectIdentifier(router))
        let hash = UInt64(one &+ other &* 31) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 32) & (slotsMax - 1)
    }
}
