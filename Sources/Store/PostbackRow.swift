internal import Domain
internal import SQLite

/// How a received call lies in its row.
enum PostbackRow {
    /// Without the body, which follows them.
    static let columns = """
        id, received_at_us, network_id, click_row_id, conversion_id, verdict, message, sender,
        method, target, headers, length(body), replay_of,
        EXISTS (SELECT 1 FROM parked WHERE postback_id = postback.id)
        """

    /// - Parameter row: of `columns` and as much of the body as is wanted.
    static func read(_ row: Statement) -> StoredPostback {
        let headers = row.withBytes(10) { PackedTexts.unpack($0) }
        return StoredPostback(
            id: PostbackID(row.int64(0)),
            call: Postback(
                receivedAt: Instant(micros: row.int64(1)),
                sender: row.optionalBlob(7).flatMap { IPAddress(storedBytes: $0) },
                method: row.text(8), target: row.blob(9),
                headers: stride(from: 0, to: headers.count - 1, by: 2).map { index in
                    Postback.Header(
                        name: String(decoding: headers[index], as: UTF8.self),
                        value: headers[index + 1])
                },
                body: row.blob(14)),
            bodyCount: Int(row.int64(11)),
            networkID: row.optionalInt64(2).map { NetworkID($0) },
            clickRowID: row.optionalInt64(3).flatMap { ClickRowID(rawValue: $0) },
            conversionID: row.optionalInt64(4).map { ConversionID($0) },
            verdict: row.text(5), message: row.text(6),
            replayOf: row.optionalInt64(12).map { PostbackID($0) }, isWaiting: row.bool(13))
    }
}
