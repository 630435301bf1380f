/// The primary key of an `Entity` row: a campaign's can't be passed where an offer's is meant.
public struct RowID<Entity>: Hashable, Sendable {
    public let rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }
}

extension RowID: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

public typealias SourceID = RowID<Source>
public typealias NetworkID = RowID<Network>
public typealias OfferID = RowID<Offer>
public typealias LanderID = RowID<Lander>
public typealias FlowID = RowID<SharedFlow>
public typealias CampaignID = RowID<Campaign>
public typealias PostbackID = RowID<Postback>
public typealias DeliveryID = RowID<Delivery>
