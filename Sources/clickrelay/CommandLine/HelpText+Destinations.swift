extension HelpText {
    /// What a media buyer asks: who is told of which conversion, with what, and what counts as told.
    static let destinations = """
        Destinations

        A source and a campaign may each have up to 20; all of both are told. In their JSON:

          key, url, method       GET, or POST with a body
          headers, body          body: any JSON, or a text, which is a form unless Content-Type says
                                 otherwise; `help tokens` says what may stand in them. A member or
                                 parameter whose token has no value is left out. A value can't end
                                 what it stands in: forms, parts and CSV have it percent-encoded,
                                 JSON and XML escaped, other texts without control characters
          enabled                false: kept, not called
          statuses, events       those that are told; empty: all
          payout                 {"min": "1", "max": "100"}, both included, in the conversion's currency
          first_only             true: a click's first conversion only, with its revisions
          value                  what {payout} says: {"percent": "80"}, or
                                 {"fixed": "5", "currency": "USD"}
          delay_seconds          from the conversion to the first call, up to 30 days
          success.status         the answers that count as taken, [200, 299]
          success.body_contains  a text that the answer must have
          success.body_json      {"path": "data.code", "equals": 0}: a field that the answer must have;
                                 "not_equals": one that refuses
          allow_private          true: may call loopback and private addresses

          oauth                  {"token_url", "client_id", "client_secret", "refresh_token",
                                 "scopes": []}: each call goes with an access token (RFC 6749), which
                                 is fetched when needed and kept in memory only; secrets are shown as
                                 …, and stay what they are when they come back so or are left out

          kind                   "postback", or "webhook": every revision as JSON, by POST, signed by
                                 the Standard Webhooks scheme; it takes no body of its own
          secrets                of a webhook, up to 4, each of which signs: first the new one, and the
                                 old one until the receiver knows both. Without any one is made, told
                                 once in the answer, and kept when it's left out later

        A call is rendered when its conversion is recorded, and sent like that however often it is
        tried. `deliveries retry --render ID` renders it again by the destination as it is today.
        A signature is made for each attempt, by the secrets of then; it's kept and shown nowhere.
        `postback test --destination NAME` makes one call with invented values and shows it whole.
        `trace ID` shows, with each revision, which destinations were not told and why.

        A delivery is given up 72 hours after it was first due (OUTBOUND_GIVE_UP_HOURS): by its last
        call, or, where its host fails and is only probed, when one of these calls has just failed.
        A pause stops that clock for what it holds, and nothing of that is given up while it lasts.

        `deliveries destinations` shows what waits for each; `deliveries pause` holds one, or a whole
        host, until `deliveries resume`. `deliveries retry --state dead --destination KEY` sends
        again what was given up.

        """
}
