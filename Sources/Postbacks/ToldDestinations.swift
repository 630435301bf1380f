internal import Domain
internal import Store

/// Who is told of a conversion's newest revision, and why the others are not.
struct ToldDestinations {
    typealias Named = (name: String, destination: Destination)

    let wanted: [Named]
    let notSent: [NotSent]

    /// - Parameters:
    ///   - refusesAll: why nobody is told of it.
    ///   - isFirst: it's the first conversion of its click.
    init(_ named: [Named], of conversion: Conversion, refusesAll: String?, isFirst: Bool) {
        var wanted: [Named] = []
        var notSent: [NotSent] = []
        for (name, destination) in named {
            let reason =
                refusesAll
                ?? destination.refusal(
                    status: conversion.status, event: conversion.event,
                    payout: conversion.payout, isFirst: isFirst)
            if let reason {
                notSent.append(NotSent(destination: name, reason: reason))
            } else {
                wanted.append((name, destination))
            }
        }
        self.wanted = wanted
        self.notSent = notSent
    }

    func deliveries(by renderer: DeliveryRenderer) -> [NewDelivery] {
        wanted.map { renderer.delivery(to: $0.destination, named: $0.name) }
    }
}
