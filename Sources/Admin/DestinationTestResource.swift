internal import Domain
internal import Store

/// One call of a destination with sample values, to see what comes of it. It's no delivery: nothing
/// of it is kept.
enum DestinationTestResource {
    static let routes = [Route("POST", "/destinations/{}/{}/test", test)]

    @Sendable private static func test(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let name = "\(call.parameter(0))/\(call.parameter(1))"
        let order = try Order(call)
        let catalog = call.catalog
        let services = call.services
        return .prepare { reader throws(StoreError) in
            var sample = order.sample
            if let identity = order.click {
                guard let click = try reader.click(identity) else {
                    throw .notFound("the click is not stored")
                }
                sample.click = click
            }
            let rendered = try services.rules.render(
                sample, for: name, catalog: catalog, now: services.now())
            return .wait { answer in
                let secrets = catalog.accountSecrets(of: name)
                services.testCall(rendered.delivery) { result in
                    answer(response(result.map { secrets.masked($0) }, rendered))
                }
            }
        }
    }

    private static func response(
        _ result: Result<JSONValue, StoreError>, _ rendered: RenderedSample
    ) -> APIResponse {
        switch result {
        case .failure(let error): return Problem(error).response
        case .success(let seen):
            let notTold = JSONMember(name: "not_told", value: .string(orNull: rendered.refusal))
            return APIResponse(.object((seen.objectValue ?? []) + [notTold]))
        }
    }

    /// What the call is to say; by the document's defaults where it leaves something out.
    private struct Order {
        var sample = SampleConversion()
        var click: ClickIdentity?

        static let names = ["status", "event", "payout", "click_id"]

        init(_ call: Call) throws(Problem) {
            guard !call.request.body.isEmpty else { return }
            let document = try call.document()
            guard let members = document.objectValue else {
                throw Problem("", "must be a JSON object")
            }
            var errors: [FieldError] = []
            for member in members where member.value != .null {
                if let error = read(member, call) { errors.append(error) }
            }
            guard errors.isEmpty else { throw Problem(ValidationError(errors)) }
        }

        /// What is wrong with it.
        private mutating func read(_ member: JSONMember, _ call: Call) -> FieldError? {
            let text = member.value.stringValue ?? member.value.numberText ?? ""
            switch member.name {
            case "status":
                guard let status = ConversionStatus(rawValue: text) else {
                    let words = ConversionStatus.allCases.map(\.rawValue)
                    return FieldError("status", "must be one of \(words.joined(separator: ", "))")
                }
                sample.status = status
            case "event":
                let event = EventName.normalized(text)
                if event.isEmpty { return FieldError("event", "must be a text") }
                sample.event = event
            case "payout":
                do throws(AmountError) {
                    sample.payoutNanos = try Amount.parse(text, format: .point)
                } catch {
                    return FieldError("payout", "must be a decimal amount such as \"12.5\"")
                }
            case "click_id":
                guard let id = ClickID(text).flatMap({ call.services.clickIDs.open($0) }) else {
                    return FieldError("click_id", "must be a click ID of this installation")
                }
                click = id
            case let name:
                let hint = NearestName.suggestion(for: name, among: Self.names)
                return FieldError(
                    name,
                    "is not a known field"
                        + (hint.map { "; did you mean \"\($0)\"?" }
                            ?? "; there are \(Self.names.joined(separator: ", "))"))
            }
            return nil
        }
    }
}

extension LedgerReader {
    /// A click that is stored, or what a conversion keeps of it after its day was purged.
    func click(_ identity: ClickIdentity) throws(StoreError) -> Click? {
        if let click = try clicks.click(identity.rowID) { return click }
        var filter = ConversionFilter()
        filter.clickRowID = identity.rowID
        return try conversions(filter, limit: 1, cursor: nil).items.first?.click
    }
}
