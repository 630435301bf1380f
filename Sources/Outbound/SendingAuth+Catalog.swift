public import Domain
public import Store

extension SendingAuth {
    /// What a delivery needs, by its destination as that is now.
    ///
    /// - Throws: when it needs what isn't there any more. It must not go out without: its receiver
    ///   could not tell it from anybody's.
    public init(for delivery: Delivery, in ledger: Ledger) throws(Unsendable) {
        // What needs nothing, as most do, is not looked up.
        guard delivery.request.auth != .none else {
            self = .none
            return
        }
        guard let destination = ledger.destination(named: delivery.destination) else {
            throw Unsendable(
                "destination \(delivery.destination) is gone, and with it what proves the call ours"
            )
        }
        switch delivery.request.auth {
        case .none: self = .none
        case .webhook:
            guard destination.kind == .webhook, !destination.webhookSecrets.isEmpty else {
                throw Unsendable(
                    "destination \(delivery.destination) is no webhook any more, so there is no secret "
                        + "to sign the call with")
            }
            self = .webhook(destination.webhookSecrets)
        case .oauth:
            guard let credential = destination.oauth else {
                throw Unsendable(
                    "destination \(delivery.destination) has no oauth any more, so there is no access "
                        + "token for the call")
            }
            self = .oauth(credential)
        }
    }
}
