internal import Domain

extension HelpText {
    /// What a media buyer asks: how a campaign's visitors are sent on, and what the offer learns.
    static let redirects: String = {
        let modes = RedirectMode.allCases.map { [$0.rawValue, meaning($0)] }
        let policies = ReferrerPolicy.allCases.map(\.rawValue)
        return """
            How visitors are sent on

            In a campaign's JSON, `redirect` is one of


            """ + TextTable.columns(modes, indent: "  ") + """

                `referrer_policy` is what browsers may tell the offer, as a header and in every page:

                  \(policies.prefix(5).joined(separator: ", ")),
                  \(policies.dropFirst(5).joined(separator: ", "))

                A visitor who is redirected (302, 303, 307) brings the address of the page that had
                the ad; one who comes through a page brings ours. double_meta always says no-referrer.

                `pass_params` names parameters of the campaign URL that are appended to the offer's:
                ["gclid"], or "all" of them but the source's external ID and cost, which are passed
                only when named. A parameter that the offer's URL has is never replaced.

                """
    }()

    private static func meaning(_ mode: RedirectMode) -> String {
        switch mode {
        case .found: "the default"
        case .seeOther, .temporaryRedirect: "the same with another status"
        case .meta: "a page that refreshes to the offer"
        case .doubleMeta: "two such pages: the offer sees no referrer at all"
        case .script: "a page whose script goes on to the offer; without scripts it refreshes"
        }
    }
}
