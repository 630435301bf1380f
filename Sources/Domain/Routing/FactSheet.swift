/// What is known of one visit, in the order in which its flow asks for it. One value per event
/// loop, filled anew for each click, so that a click allocates nothing of its own, and a class, so
/// that none of it is copied on the way through the rules.
public final class FactSheet {
    /// The values one after another: a fact's is appended here, then `endFact` is called.
    public var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var known: [Bool] = []
    private(set) var instant = Instant(micros: 0)
    private(set) var ip: IPAddress?
    private var leftByDevice: RuleSet?
    private var leftByPlace: RuleSet?

    public init() {}

    /// Starts a visit of which nothing is known yet.
    public func begin(at instant: Instant, ip: IPAddress?) {
        self.instant = instant
        self.ip = ip
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        known.removeAll(keepingCapacity: true)
        leftByDevice = nil
        leftByPlace = nil
    }

    /// Brings what `Router.rules(leftBy:_:)` said of the same device or place before, so that their
    /// facts need not be here.
    public func remember(_ rules: RuleSet, leftBy part: VisitPart) {
        switch part {
        case .device: leftByDevice = rules
        case .place: leftByPlace = rules
        case .click: break
        }
    }

    func rules(leftBy part: VisitPart) -> RuleSet? {
        switch part {
        case .device: leftByDevice
        case .place: leftByPlace
        case .click: nil
        }
    }

    /// Takes the value that was appended to `bytes` as the next fact's, in the order of
    /// `Router.facts`.
    /// - Parameter isKnown: false: there is none, whatever was appended.
    public func endFact(isKnown: Bool) {
        let start = ends.last ?? 0
        known.append(isKnown && bytes.count > start)
        ends.append(bytes.count)
    }

    /// The value in that place; nil where it isn't known.
    func withText<Result>(_ slot: Int, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard known.indices.contains(slot), known[slot] else { return body(nil) }
        let start = slot == 0 ? 0 : ends[slot - 1]
        return bytes.withUnsafeBytes { all in
            body(UnsafeRawBufferPointer(rebasing: all[start..<ends[slot]]))
        }
    }
}
