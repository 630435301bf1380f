extension HelpText {
    /// What a media buyer asks: who is sent where.
    static let routing = """
        Where a campaign sends its visitors

          {"key": "summer", "source": "push", "fallback_url": "https://other.example/?s2={click_id}",
           "flow": {
             "rules": [{"name": "Europe", "when": {"language": ["de", "fr"]},
                        "paths": [{"landers": [{"lander": "quiz"}], "offers": [{"offer": "fit"}]}]}],
             "paths": [{"weight": 70, "offers": [{"offer": "fit", "weight": 2}, {"offer": "slim"}]},
                       {"weight": 30, "offers": [{"offer": "slim"}]}]}}

        The first enabled rule that matches and has a path to take decides; then the flow's own
        paths; then fallback_url. Among paths, a path's landers and its offers, weights decide
        (100 if not given, 0 for never). The same click of the same version of the flow always makes
        the same choice, and each click keeps which rule and version chose: `clickrelay trace`.
        A path without landers goes straight to the offer. "flow" may be the key of a shared flow
        (`clickrelay flow apply`), whose changes reach every campaign that uses it.

        Conditions: every member of "when" must hold; "any" and "all" take arrays of conditions,
        "not" takes one. A fact is compared with a value (is), an array of them (in), or with
          {"is": …} {"is_not": …} {"in": […]} {"not_in": […]} {"range": [from, to]}
          {"contains": …} {"not_contains": …} {"starts_with": …} {"exists": true}
          {"matches": "regular expression"} {"not_matches": …}
        Letters' case makes no difference. Bounds of a range belong to it; either may be null.

        Facts:
          ip               an address or a block: "192.0.2.0/24", "2001:db8::/32"
          ip_version       4 or 6
          language         what the browser likes best; "pt" matches "pt-br" too
          country          "US", by the location files (`clickrelay help geo update`)
          region, city, isp
                           as the files write them: "CA" or "California", "Los Angeles"
          asn              the network's number: 15169, {"not_in": [16509, 14618]}
          connection_type  as the files write it: "Cellular", "Cable/DSL"
          device           desktop, mobile, tablet, tv, console, wearable, bot or other
          brand, model     as far as the browser tells: "Samsung", "SM-S918B"
          os, os_version   "iOS", "Android", "Windows", "macOS", …; {"range": ["10", "13.9"]}
          browser, browser_version
                           "Chrome", "Safari", "Samsung Internet", "Chrome WebView", …
          in_app           the app whose browser it is: "Facebook", "Instagram", "TikTok", …
          visit            visitor, bot, prefetch or preview; bot, true or false: help bots
          referrer         the page's address; referrer_domain, its host or any part after a dot
          user_agent
          param:NAME       a parameter of the campaign URL, as it was sent
          var1 … var20     the parameter that the traffic source maps to it
          header:NAME      a header of the request
          unique           true for the first click of a visitor, false for its later ones
          click_number     1 for that first one; {"range": [2, 4]} for the next three
          weekday, hour    "mon" … "sun", 0 … 23, in UTC or
                           {"hour": {"range": [22, 5], "time_zone": "Europe/Berlin"}}

        A rule's "schedule" says when it is in force; everything in it may be left out:
          {"from": "2026-11-01T09:00", "to": "2026-12-01", "days": ["mon", "tue"],
           "hours": ["09:00-18:00", "22:00-02:00"], "time_zone": "Europe/Berlin"}
        "to" is the first minute out of force. Hours over midnight belong to the day they begin on.

        Visitors that come again: a campaign may say how it knows them, and where they are sent
          "uniqueness": {"scope": "campaign", "window_hours": 24}
          "rotation": "random", "sticky" or "unseen"
        scope is campaign, flow (the shared flow's visitors, of all its campaigns) or everywhere;
        the window begins with the first click and lasts 1 to 720 hours. Without "uniqueness" it is
        as above where a rule or the rotation asks. sticky sends visitors to the path, lander and
        offer that they were sent to before, if the rule that matches first leads there and it is
        open; unseen prefers offers and landers that they were not sent to. A visitor is known by
        the cookie cr_visitor, else by a keyed hash of user agent and of as much of the address as
        IP_POLICY keeps (of IPv6 the network); where it keeps none, by the cookie alone. Bots and
        other visits that are no clicks neither count nor are known. The last 500,000 visitors are
        remembered, over restarts; a campaign that begins to ask, or changes the scope or the
        window, begins with none. Campaigns of one scope with the same window know the same
        visitors. Of a visitor, the last 32 offers count as seen.

        Caps: an offer, a path or a campaign may have
          "traffic_caps": {"clicks_per_day": 1000, "clicks_total": 50000,
                           "conversions_per_day": 20, "conversions_total": 900,
                           "payout_per_day": "250", "payout_total": "9000", "currency": "USD",
                           "time_zone": "Europe/Berlin"}
        each optional; at any of them the way is closed. Conversions that are pending or approved
        count, on the day they came; those that come for clicks from before are not limited by
        these (that is what "caps" are for: they park conversions).
        A full offer's visitors go to its "overflow_offer" (the key of another offer, which may
        overflow in its turn, 5 times at most); else among the path's other offers, to the rule's
        other paths, the next rule that matches, the flow's own paths, fallback_url. A full
        campaign's go to fallback_url, else to their domain's; without either they get a 404,
        and are recorded with their cost.
        A lander's visitors count with the offer that was chosen for them; a button that leads to
        another offer (/o/2) takes no room there, but follows that one's overflow when it is full,
        or leads to the chosen one. Days begin at midnight of the time zone (UTC if not given). A path with caps needs a name of its own: its visitors are
        counted by campaign and name, so that moving the path keeps the count and another name
        begins a new one. What is taken is told as "traffic_caps_used". Changes hold from the next
        visitor on; visitors from before the cap was set count.

        What isn't there matches no comparison but the opposite ones (is_not, not_in, …). Where the
        location files don't tell, not even those: nobody is sent by a guess about a place.
        {"country": {"exists": false}} finds such visitors.
        `clickrelay simulate CAMPAIGN_KEY` tells what a visitor would get, and which condition failed.
        A URL of a lander takes {click_id}, {external_id} and the other tokens of a click
        (`clickrelay help tokens`).

        """
}
