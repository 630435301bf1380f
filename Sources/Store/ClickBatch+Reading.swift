public import Domain

extension ClickBatch {
    /// A click as it is read back once it is stored.
    public func click(_ row: NewClick) -> Click {
        let values = PackedTexts.unpack(bytes(row.parameterValues))
        let names = PackedTexts.unpack(bytes(row.parameterNames))
        return Click(
            rowID: row.rowID, campaignID: row.campaignID,
            externalID: row.externalID.count == 0 ? nil : bytes(row.externalID),
            cost: row.costNanos.map { Money(nanos: $0, currency: row.currency) },
            parameters: zip(names, values).map { name, value in
                Click.Parameter(name: String(decoding: name, as: UTF8.self), value: value)
            },
            ip: row.ip, userAgent: bytes(row.userAgent), referrer: bytes(row.referrer),
            flowVersion: row.flowVersion, rule: row.rule, path: row.path,
            landerVersion: row.landerVersion, offerVersion: row.offerVersion, visit: row.visit,
            device: bytes(row.device).withUnsafeBytes { Device(packed: $0) },
            place: bytes(row.place).withUnsafeBytes { Place(packed: $0) },
            visitor: row.visitor, visitNumber: row.visitNumber)
    }

    private func bytes(_ kept: NewClick.Bytes) -> [UInt8] { Array(arena[kept.range]) }
}
