@testable import Domain
@testable import Postbacks

/// Reads a call as the tracker does, up to where it would look up the click.
func checkCall(_ call: Domain.Postback, _ network: Network) throws {
    let parameters = PostbackParameters(call, of: network)
    _ = PostbackReport.reply(parameters.fields, network: network)
    _ = try? ConversionEntry(parameters.pairs, now: call.receivedAt)
    guard let report = try? PostbackReport(parameters.fields, network: network) else { return }
    try require(
        PostbackReport.clickID(parameters.fields) == report.clickID, "another click than its own")
    try require(
        report.transactionID.utf8.count <= PostbackReport.transactionIDLengthMax,
        "a transaction ID of \(report.transactionID.utf8.count) bytes")
    try require(
        report.extras.allSatisfy { ($0?.utf8.count ?? 0) <= PostbackReport.extraMax },
        "an extra that is too long")
}
