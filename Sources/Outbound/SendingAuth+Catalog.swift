internal import Domain
public import Store

extension SendingAuth {
    /// Of the destination that a delivery's name means now; one that is gone has none left.
    public init(of name: String, in ledger: Ledger) {
        guard let destination = ledger.destination(named: name) else {
            self = .none
            return
        }
        switch destination.kind {
        case .postback: self = .none
        case .webhook: self = .webhook(destination.webhookSecrets)
        }
    }
}
