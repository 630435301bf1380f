internal import Domain
internal import Reports
internal import Store

/// Parameters by which conversions, postbacks and deliveries are narrowed.
extension QueryReader {
    /// The beginning of a range of times; a day begins in UTC.
    mutating func from() -> Instant? {
        guard let text = text("from") else { return nil }
        guard let instant = TimeText.start(text) else {
            fail("from", TimeText.rule)
            return nil
        }
        return instant
    }

    /// The end of a range of times, itself outside; a day is meant to its end.
    mutating func to() -> Instant? {
        guard let text = text("to") else { return nil }
        guard let instant = TimeText.end(text) else {
            fail("to", TimeText.rule)
            return nil
        }
        return instant
    }

    /// One moment.
    mutating func instant(_ name: String) -> Instant? {
        guard let text = text(name) else { return nil }
        guard let instant = Instant(rfc3339: text) else {
            fail(name, "must be a time such as 2026-11-20T22:45:36Z")
            return nil
        }
        return instant
    }

    mutating func clickRowID(_ clickIDs: any ClickIDSealing) -> ClickRowID? {
        guard let text = text("click_id") else { return nil }
        guard let identity = ClickID(text).flatMap({ clickIDs.open($0) }) else {
            fail("click_id", "must be a click ID of this installation")
            return nil
        }
        return identity.rowID
    }

    /// Which deliveries a list or a selection is about.
    mutating func deliveries(_ clickIDs: any ClickIDSealing) -> DeliveryFilter {
        var filter = DeliveryFilter()
        filter.states = choice("state", Delivery.State.self).map { [$0] } ?? []
        filter.destination = text("destination")
        filter.origin = text("origin")
        filter.conversionID = conversionID()
        filter.clickRowID = clickRowID(clickIDs)
        filter.from = from()
        filter.to = to()
        return filter
    }

    mutating func conversionID() -> ConversionID? {
        guard let text = text("conversion") else { return nil }
        guard let id = ConversionID(text) else {
            fail("conversion", "must be a conversion's ID such as cv12")
            return nil
        }
        return id
    }
}
