internal import Domain
internal import Store

/// The operator's location files, and where they say an address is.
enum GeoResource {
    static let routes = [
        Route("GET", "/geo", list), Route("POST", "/geo/load", load),
        Route("GET", "/geo/lookup", lookup),
    ]

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        // Not on a loop: where nothing was looked up yet, the files are read now.
        .read { _ throws(StoreError) in page(call.services.geo.files()) }
    }

    /// Reads the directory anew, and every new file whole before it is used.
    @Sendable private static func load(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        .read { _ throws(StoreError) in page(call.services.geo.load()) }
    }

    @Sendable private static func lookup(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let text = query.text("ip")
        let ip = text.flatMap { IPAddress($0) }
        if ip == nil { query.fail("ip", "must be an IPv4 or IPv6 address") }
        guard let ip else { return .done(.page([], nextCursor: nil)) }
        return .read { _ throws(StoreError) in
            let place = call.services.geo.place(ip)
            return APIResponse(
                .object([JSONMember(name: "ip", value: .string(ip.text))] + place.members))
        }
    }

    private static func page(_ files: [GeoFile]) -> APIResponse {
        .page(
            files.map { file in
                [
                    "file": .string(file.name), "type": .string(orNull: file.type.orNil),
                    "built_at": file.builtAt?.json ?? .null, "bytes": .integer(file.byteCount),
                    "in_use": .bool(file.isInUse), "problem": .string(orNull: file.problem),
                ]
            }, nextCursor: nil)
    }
}

extension Place {
    /// What is not known is null.
    var members: [JSONMember] {
        [
            JSONMember(name: "country", value: .string(orNull: country.orNil)),
            JSONMember(name: "region", value: .string(orNull: region.orNil)),
            JSONMember(name: "city", value: .string(orNull: city.orNil)),
            JSONMember(name: "isp", value: .string(orNull: isp.orNil)),
            JSONMember(name: "asn", value: asn == 0 ? .null : .integer(Int64(asn))),
            JSONMember(name: "connection_type", value: .string(orNull: connectionType.orNil)),
        ]
    }
}

extension String {
    fileprivate var orNil: String? { isEmpty ? nil : self }
}
