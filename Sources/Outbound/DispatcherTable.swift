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
            record = { results, done in
                ledger.perform({ transaction throws(StoreError) in
                    try transaction.record(results)
                }) { done($0) }
            }
        }
    }
}
