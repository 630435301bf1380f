public import Domain

/// Clicks of one turn of one event loop, on their way to the disk. Their bytes lie in one array, so
/// that a click costs no allocation of its own.
public struct ClickBatch: Sendable {
    public var rows: [NewClick] = []
    public var landerClicks: [LanderClick] = []
    public var arena: [UInt8] = []

    public init() {}

    /// Rows to be inserted.
    public var count: Int { rows.count + landerClicks.count }

    /// Memory that it takes, more or less.
    var bytes: Int {
        arena.capacity + rows.capacity * MemoryLayout<NewClick>.stride
            + landerClicks.capacity * MemoryLayout<LanderClick>.stride + Self.bytesOfNone
    }

    /// The arrays' own.
    private static let bytesOfNone = 160

    /// The rows that belong into those days' files; nil where there are none.
    func part(of days: Set<Day>) -> ClickBatch? {
        var part = self
        part.rows.removeAll { !days.contains($0.rowID.day) }
        part.landerClicks.removeAll { !days.contains($0.clickRowID.day) }
        return part.count > 0 ? part : nil
    }

    var withoutLanderClicks: ClickBatch {
        var clicks = self
        clicks.landerClicks.removeAll()
        return clicks
    }

    /// Copies bytes into the arena.
    public mutating func keep(_ bytes: UnsafeRawBufferPointer) -> NewClick.Bytes {
        if bytes.isEmpty { return .none }
        let start = UInt32(truncatingIfNeeded: arena.count)
        arena.append(contentsOf: bytes)
        return NewClick.Bytes(start: start, count: UInt32(truncatingIfNeeded: bytes.count))
    }

    /// Copies an array's bytes into the arena.
    public mutating func keep(_ bytes: [UInt8]) -> NewClick.Bytes {
        bytes.withUnsafeBytes { keep($0) }
    }
}

/// One click to be inserted; its bytes lie in its batch's arena.
public struct NewClick: Sendable {
    public struct Bytes: Sendable {
        public var start: UInt32
        public var count: UInt32

        public static let none = Bytes(start: 0, count: 0)

        public init(start: UInt32, count: UInt32) {
            self.start = start
            self.count = count
        }

        public var range: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
    }

    public var rowID: ClickRowID
    public var campaignID: CampaignID
    public var flowVersion: Int64
    public var rule: Int
    public var path: Int
    public var landerVersion: Int64?
    public var offerVersion: Int64
    /// Nil: none is known.
    public var costNanos: Int64?
    public var currency: Currency
    /// An empty one counts as none.
    public var externalID: Bytes
    /// As IPv6; nil where none is kept.
    public var ip: IPAddress?
    public var userAgent: Bytes
    public var referrer: Bytes
    /// Names and values of the other parameters, each packed behind its length.
    public var parameterNames: Bytes
    public var parameterValues: Bytes
    public var visit: VisitKind
    /// See `Device.packed`.
    public var device: Bytes
    /// See `Place.packed`.
    public var place: Bytes
    /// Nil where the campaign does not know its visitors.
    public var visitor: VisitorNumber?
    public var visitNumber: Int64?

    public init(
        rowID: ClickRowID, campaignID: CampaignID, flowVersion: Int64, rule: Int, path: Int,
        landerVersion: Int64?, offerVersion: Int64, costNanos: Int64?, currency: Currency,
        externalID: Bytes = .none, ip: IPAddress?,
        userAgent: Bytes = .none, referrer: Bytes = .none, parameterNames: Bytes = .none,
        parameterValues: Bytes = .none,
        visit: VisitKind = .visitor, device: Bytes = .none, place: Bytes = .none,
        visitor: VisitorNumber? = nil, visitNumber: Int64? = nil
    ) {
        self.rowID = rowID
        self.campaignID = campaignID
        self.flowVersion = flowVersion
        self.rule = rule
        self.path = path
        self.landerVersion = landerVersion
        self.offerVersion = offerVersion
        self.costNanos = costNanos
        self.currency = currency
        self.externalID = externalID
        self.ip = ip
        self.userAgent = userAgent
        self.referrer = referrer
        self.parameterNames = parameterNames
        self.parameterValues = parameterValues
        self.visit = visit
        self.device = device
        self.place = place
        self.visitor = visitor
        self.visitNumber = visitNumber
    }
}
