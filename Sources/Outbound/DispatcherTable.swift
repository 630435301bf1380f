internal import Domain
internal import Store

extension Dispatcher {
    /// The table of deliveries, as the dispatcher uses it. Each member calls back on whatever
    /// thread the store answers on, exactly once.
    struct Table: Sendable {
        typealias Answer<Value> = @Sendable (Result<Value, StoreError>) -> Void

        /// The origins that have waiting deliveries.
        var scan: @Sendable (@escaping Answer<[String]>) -> Void
        var read: @Sendable (DeliveryWindow.Order, @escaping Answer<DeliveryWindow>) -> Void
        /// A part of an origin's deliveries that are due and were first due by some time.
        var overdue:
            @Sendable (
                _ origin: String, _ firstDueBy: Instant, OverdueCursor?,
                @escaping Answer<(deliveries: [OverdueDelivery], next: OverdueCursor?)>
            ) -> Void
        /// Ends deliveries, each for a reason.
        var giveUp:
            @Sendable (
                [(OverdueDelivery, reason: String)], _ at: Instant, @escaping Answer<Void>
            ) -> Void
        /// Keeps all of the results or none.
        var record: @Sendable ([DeliveryResult], @escaping Answer<Void>) -> Void

        init(_ ledger: Ledger, _ readers: Readers) {
            scan = { done in
                readers.read({ reader throws(StoreError) in try reader.waitingOrigins() }) {
                    done($0)
                }
            }
            read = { order, done in
                readers.read({ reader throws(StoreError) in try reader.window(order) }) {
                    done($0)
                }
            }
            overdue = { origin, firstDueBy, cursor, done in
                readers.read({ reader throws(StoreError) in
                    try reader.overdue(
                        origin: origin, firstDueBy: firstDueBy, after: cursor,
                        rowsMax: GiveUpQueue.rowsMax)
                }) { done($0) }
            }
            giveUp = { deliveries, now, done in
                ledger.perform({ transaction throws(StoreError) in
                    for (delivery, reason) in deliveries {
                        try transaction.giveUp(delivery, reason: reason, at: now)
                    }
                }) { done($0) }
            }
            record = { results, done in
                ledger.perform({ transaction throws(StoreError) in
                    try transaction.record(results)
                }) { done($0) }
            }
        }
    }
}
