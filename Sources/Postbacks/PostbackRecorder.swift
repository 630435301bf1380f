public import Domain
public import Store

/// Decides what a network's call means and writes all that follows from it.
///
/// The raw call with its verdict, the conversion, its revision and one delivery for each
/// destination that asks for it are written by one job of the ledger: a crash leaves all of them or
/// none, and the answer goes out only once they are on disk.
public struct PostbackRecorder: Sendable {
    let clickIDs: any ClickIDSealing

    public init(clickIDs: any ClickIDSealing) { self.clickIDs = clickIDs }

    /// Of a call to a key that never existed, only this much of the body is kept.
    public static let strayBodyMax = 4096
    /// Of a call that was too long, only this much of the body is kept; its request line is kept as
    /// far as the server takes one.
    public static let oversizedBodyMax = 16_384

    /// - Parameters:
    ///   - key: the secret part of the postback URL, decoded.
    ///   - oversize: see `PostbackIntake.submit`; such a call is kept and never counted.
    ///   - now: when its deliveries are due; the conversion has the time of the call.
    /// - Throws: nothing of the call was kept; the network must be told to send it again.
    public func record(
        _ call: Postback, key: String, oversize: String? = nil, in tx: LedgerTransaction,
        now: Instant
    ) throws(StoreError) -> PostbackAnswer {
        // An archived network still receives: its conversions come weeks after its last click.
        let catalog = tx.catalog
        guard let networkID = catalog.networkByPostbackKey[key],
            let network = catalog.networks[networkID]
        else { return try recordStray(call, in: tx) }
        var recording = PostbackRecording(
            call: call, network: network, clickIDs: clickIDs, tx: tx, catalog: catalog, now: now)
        if let oversize { return try recording.refuseOversized(oversize) }
        return try recording.run()
    }

    /// In our names: whose dialect it is nobody knows.
    private static func query(of stray: Postback) -> PostbackFields {
        let query =
            stray.target.split(
                separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false
            )
            .dropFirst().first ?? []
        return PostbackFields(
            entry: query.withUnsafeBytes { QueryParameters(parsing: $0).pairs })
    }

    private func recordStray(_ call: Postback, in tx: LedgerTransaction) throws(StoreError)
        -> PostbackAnswer
    {
        let message = "no network has this postback key: copy the URL from the network's settings"
        let kept = Postback(
            receivedAt: call.receivedAt, sender: call.sender, method: call.method,
            target: call.target, headers: call.headers,
            body: Array(call.body.prefix(Self.strayBodyMax)))
        let id = try tx.insert(
            kept, networkID: nil, clickRowID: clickIDs.rowID(of: Self.query(of: call)),
            conversionID: nil, verdict: .keyUnknown, message: message)
        return PostbackAnswer(verdict: .keyUnknown, message: message, postbackID: id)
    }
}
