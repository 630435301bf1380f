internal import Domain
internal import Store

extension DeliveryResult {
    /// The delivery as it waits after this attempt; nil when it ended.
    func next(_ delivery: Delivery) -> Delivery? {
        switch outcome {
        case .delivered, .dead: nil
        case .retry(let at):
            Delivery(
                id: delivery.id, conversionID: delivery.conversionID, revision: delivery.revision,
                destination: delivery.destination, state: .waiting, reason: attempt.error,
                dueAt: at, convertedAt: delivery.convertedAt, request: delivery.request,
                attemptCount: attempt.number, delaySeconds: delivery.delaySeconds)
        }
    }
}
