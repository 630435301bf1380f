extension HelpText {
    /// What whoever makes a lander asks: how its visitors get there, and on to an offer.
    static let landers = """
        Landers and their buttons

        A path with landers sends its visitor to one of them first. The button there leads to

          /o/{n}    the n-th offer of the click's path, from 1; /o is /o/1
          /o/any    the one that the path's weights chose, the same for a click each time

        on this tracker, with the click ID: give the lander's URL one (https://lp.example/?cid={click_id})
        and repeat it in the link (/o/2?cid=…; click_id and clickid do as well). Without it the click
        cookie serves, which the redirect left. A number that the path doesn't have means /o/any.
        The press is on disk before the visitor goes on; conversions belong to the offer that was
        pressed last, of the network that reports them. A link may say ?campaign=KEY too: a visitor
        whose click can't be told is a new click of it then, or of the domain's campaign, and goes
        on at once; without either it is the domain's fallback URL, or 404.

        Without a redirect, on a page that visitors open directly:

          <script src="https://t.example/t.js" data-campaign="summer" data-lander="quiz"></script>

        It takes the click ID from the page's address (cid), or records the visit as a click of the
        campaign with the page's own parameters, keeps it in the first-party cookie cr_click, and
        completes links and forms that lead to /o. data-lander says which lander the page is. For
        scripts: clickrelay.ready (a promise of the click ID), clickrelay.clickID,
        clickrelay.decision, clickrelay.offerURL(n). A content security policy must name the tracker
        in script-src and connect-src.

        For servers: GET /api/click?campaign=summer&… with what would stand in the campaign URL, or
        POST JSON:

          {"campaign": "summer", "lander": null, "params": {"subid": "W8d"}, "query": "gclid=…",
           "ip": "203.0.113.9", "user_agent": "…", "referrer": "…", "language": "de",
           "headers": {"Sec-CH-UA-Platform": "…"}}

        Only campaign is required. "ip" needs "Authorization: Bearer" and an API token, and then
        nothing is taken from the call's own header. The answer is the decision, once the click is
        on disk: click_id, campaign, rule, path, lander, offer, location (where a redirect would have
        led), offers (number, offer and url of each), cookie (its name and max_age, for the visitor).

        """
}
