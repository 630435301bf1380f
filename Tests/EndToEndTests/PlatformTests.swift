import TestSupport
import Testing

/// The formats real platforms send and want to be sent, after their macros were replaced.
@Suite struct PlatformTests {
    @Test func `MyLead's decimal postback is taken as it is`() throws {
        // …?cid=[ml_sub1]&txid=[transaction_id]&payout=[payout_decimal]&currency=[currency]&status=[status]
        let chain = try Chain.start {
            $0.network = [
                "key": "mylead", "name": "MyLead", "click_id_param": "ml_sub1", "currency": "USD",
                "status_map": [
                    "approved": "approved", "pending": "pending", "pre_approved": "pending",
                ],
            ]
            $0.offer["network"] = "mylead"
            $0.offer["url"] = "https://offer.example/a/123?ml_sub1={click_id}"
        }
        let visit = try chain.visit("subid=ML1", idParameter: "ml_sub1")
        let pending = try chain.network.call(
            "cid=\(visit.clickID)&txid=9bd1b6e8&payout=12.50&currency=EUR&status=pre_approved")
        #expect(pending.status == 200 && pending.verdict == "accepted")
        #expect(chain.source.count == 0)
        let approved = try chain.network.call(
            "cid=\(visit.clickID)&txid=9bd1b6e8&payout=12.50&currency=EUR&status=approved")
        #expect(approved.verdict == "updated" && approved.revision == 2)
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=ML1&value=12.5"])

        let conversion = try chain.journey(visit.clickID)["conversions"][0]
        #expect(conversion["network"] == "mylead" && conversion["network_status"] == "approved")
        #expect(conversion["payout"] == ["amount": "12.5", "currency": "EUR"])
        #expect(conversion["revisions"].array.map { $0["status"] } == ["pending", "approved"])
    }

    @Test(arguments: [("1250", "12.5"), ("5", "0.05"), ("100", "1"), ("0", "0")])
    func `MyLead's minor units are hundredths`(sent: String, amount: String) throws {
        let chain = try Chain.start { $0.network["payout_unit"] = "minor" }
        let visit = try chain.visit("subid=ML2")
        #expect(
            try chain.network.call(
                "cid=\(visit.clickID)&txid=1&payout=\(sent)&currency=USD&status=approved"
            ).verdict
                == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=ML2&value=\(amount)"])
    }

    @Test func `minor units follow the currency`() throws {
        let chain = try Chain.start()
        let yen = try chain.visit("subid=Y")
        let dinar = try chain.visit("subid=D")
        #expect(
            try chain.network.call("cid=\(yen.clickID)&payout_minor=1250&currency=JPY").verdict
                == "accepted")
        #expect(
            try chain.network.call("cid=\(dinar.clickID)&payout_minor=1250&currency=KWD").verdict
                == "accepted")
        #expect(
            try chain.source.await(2).map(\.target).sorted()
                == ["/conv?id=D&value=1.25", "/conv?id=Y&value=1250"])
    }

    @Test func `the two-postback chain of Scaleo's guide works`() throws {
        // Offer URL …?s2={clickid}; inbound cid={s2}&payout={payout}; outbound clickid and value.
        let chain = try Chain.start { setup in
            setup.offer["url"] = "https://network.example/click?o=19&a=5&s2={clickid}"
            setup.destinations = [
                setup.destination("s2s", "/postback?clickid={externalid}&payout={payout}")
            ]
        }
        let visit = try chain.visit("subid=SRC-42")
        #expect(visit.location == "https://network.example/click?o=19&a=5&s2=\(visit.clickID)")
        #expect(
            try chain.network.call("cid=\(visit.clickID)&payout=4.2").verdict == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/postback?clickid=SRC-42&payout=4.2"])
    }

    @Test(arguments: FakeNetwork.Carrier.allCases)
    func `Mr Postback's names are understood and the rest is kept`(
        carrier: FakeNetwork.Carrier
    ) throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=MP")
        let answer = try chain.network.report(
            [
                "click_id": visit.clickID, "event": "sale", "amount": "49.99", "currency": "USD",
                "affiliate_id": "77", "campaign_id": "9", "timestamp": "1763675136",
            ], as: carrier)
        #expect(answer.status == 200 && answer.verdict == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=MP&value=49.99"])
        let journey = try chain.journey(visit.clickID)
        #expect(journey["conversions"][0]["event"] == "sale")
        #expect(journey["conversions"][0]["campaign"] == "summer")
        let request = journey["postbacks"][0]["request"]
        let kept = (request["target"].string ?? "") + (request["body"].string ?? "")
        for extra in ["affiliate_id", "77", "timestamp", "1763675136"] {
            #expect(kept.contains(extra), "\(extra) is kept in the raw call")
        }
    }

    /// A destination of the catalogue with its account values filled in.
    struct Template: Sendable, CustomTestStringConvertible {
        let name: String
        let externalIDParameter: String
        let path: String
        let expected: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Template(
            name: "PropellerAds", externalIDParameter: "visitor_id",
            path:
                "/conversion.php?aid=3911&pid=&tid=88172&visitor_id={external_id}&payout={payout}",
            expected:
                "/conversion.php?aid=3911&pid=&tid=88172&visitor_id=w8d4%20_x&payout=12.5"),
        Template(
            name: "ExoClick", externalIDParameter: "conversions_tracking",
            path: "/tag.php?goal=d41d8cd98f00b204e9800998ecf8427e&value={payout}&tag={external_id}",
            expected:
                "/tag.php?goal=d41d8cd98f00b204e9800998ecf8427e&value=12.5&tag=w8d4%20_x"),
        Template(
            name: "TrafficJunky", externalIDParameter: "aclid",
            path:
                "/tj_ads_pt?a=11&member_id=22&cb={timestamp}&cti={transaction_id}&ctv={payout}"
                + "&ctd=sale&aclid={external_id}",
            expected:
                "/tj_ads_pt?a=11&member_id=22&cb=TIME&cti=TX%2F1&ctv=12.5&ctd=sale&aclid=w8d4%20_x"
        ),
    ])
    func `the catalogue's destinations get what the platform expects`(template: Template) throws {
        let chain = try Chain.start { setup in
            setup.source["external_id_param"] = .string(template.externalIDParameter)
            setup.destinations = [setup.destination("s2s", template.path, ["approved"])]
        }
        let visit = try chain.visit("\(template.externalIDParameter)=w8d4%20_x&zoneid=5")
        #expect(
            try chain.network.report([
                "cid": visit.clickID, "payout": "12.50", "txid": "TX/1", "status": "approved",
            ]).verdict == "accepted")
        let call = try chain.source.await(1)[0]
        var target = call.target
        if let time = call.query["cb"] {
            let clock = try secondsSince1970(
                chain.journey(visit.clickID)["conversions"][0]["converted_at"])
            #expect(abs((Double(time) ?? 0) - clock) <= 2, "unix seconds of the conversion")
            target = target.replacing("cb=\(time)", with: "cb=TIME")
        }
        #expect(target == template.expected)
    }
}
