import Foundation
import TestSupport

/// A click whose visitor was redirected.
struct AcknowledgedClick: Sendable {
    let clickID: String
    let externalID: String
}

/// A postback that was answered "accepted", and what is told on.
struct AcknowledgedPostback: Sendable {
    let clickID: String
    let transactionID: String
    /// As the network sends it.
    let query: String
    /// The conversion's ID, from the answer.
    let conversion: String
}

extension TrackerProcess {
    /// Finds each click by its ID, and in its journey each of the postbacks: the call, its conversion
    /// and a delivery.
    /// - Throws: `TestFailure` that names what is missing.
    func verifyJourneys(_ clicks: [AcknowledgedClick], _ postbacks: [AcknowledgedPostback]) throws {
        let byClick = Dictionary(grouping: postbacks, by: \.clickID)
        let workers = 4
        try concurrently(workers) { worker in
            for (index, click) in clicks.enumerated() where index % workers == worker {
                let answer = try self.api("GET", "/clicks/\(click.clickID)")
                let missing =
                    answer.status == 200
                    ? try JSONDecoder().decode(KeptJourney.self, from: Data(answer.body))
                        .missing(click, byClick[click.clickID] ?? [])
                    : "the click"
                if let missing {
                    throw TestFailure("\(missing) is missing: \(answer.status) \(answer.text)")
                }
            }
        }
    }
}

/// Of `GET /clicks/{id}` what shows that nothing was lost. `JSON`, which tries each kind of value
/// there is, takes too long for thousands of journeys.
private struct KeptJourney: Decodable {
    struct Conversion: Decodable {
        let id: String
        let transactionID: String?

        enum CodingKeys: String, CodingKey {
            case id
            case transactionID = "transaction_id"
        }
    }

    struct Postback: Decodable {
        let verdict: String
        let conversion: String?
    }

    struct Delivery: Decodable {
        let conversion: String
    }

    let externalID: String?
    /// There only where the click itself is gone, and its conversions still tell of it.
    let purged: Bool?
    let conversions: [Conversion]
    let postbacks: [Postback]
    let deliveries: [Delivery]

    enum CodingKeys: String, CodingKey {
        case externalID = "external_id"
        case purged, conversions, postbacks, deliveries
    }

    /// What is missing of a click, or of what was reported of it; nil: nothing.
    func missing(_ click: AcknowledgedClick, _ reported: [AcknowledgedPostback]) -> String? {
        guard externalID == click.externalID, purged == nil else { return "the click" }
        for postback in reported {
            let id = postback.conversion
            let isConverted = conversions.contains {
                $0.id == id && $0.transactionID == postback.transactionID
            }
            guard isConverted else { return "conversion \(id)" }
            guard postbacks.contains(where: { $0.conversion == id && $0.verdict == "accepted" })
            else { return "the call that made conversion \(id)" }
            guard deliveries.contains(where: { $0.conversion == id })
            else { return "the delivery of conversion \(id)" }
        }
        return nil
    }
}
