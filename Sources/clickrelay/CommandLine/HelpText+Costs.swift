extension HelpText {
    /// What a media buyer asks: how the tracker comes to know what the traffic costs.
    static let costs = """
        Costs

        What a campaign's source charges, in the campaign's JSON under "cost":

          {"model": "cpc", "amount": "0.012"}       so much a click
          {"model": "cpm", "amount": "4.5"}         so much a thousand clicks
          {"model": "param"}                        what the source's cost_param says in each URL
          {"model": "cpa", "amount": "3"}           so much a conversion
          {"model": "revshare", "percent": "30"}    a part of the approved payout
          {"model": "none"}                         nothing is known

        More settings, where they have a meaning:

          currency       of the amount, where it isn't the source's; revshare has the payout's
          loss_percent   cpc, cpm, param: the share of the billed clicks that never arrive, 0 to 99;
                         a click costs amount / (1 - loss)
          statuses       cpa: those of a conversion that cost; ["approved"]
          number_format  param: auto, point (1,234.50) or comma (1.234,50); in auto, 1,234 is no cost
          unit           param: units, minor (cents, say), micro (millionths) or cpm

        The source's cost_currency_param names the URL's parameter with the cost's currency. A click
        whose cost can't be read has none, and the report says how many there are. A conversion keeps
        the price that it was first recorded with, through all of its revisions; one whose click had
        a cost costs nothing more.

        Corrections

        A bill may say something else. A correction is a layer over what was recorded, which it does
        not change; reports count it at once, and without it every figure is as before.

          clickrelay cost set summer 120.50 --from 2026-11-01 --to 2026-11-07 --tz Europe/Berlin
          clickrelay cost set summer 0.01 --as cpc --from 2026-11-08 --where var1=39485
          clickrelay cost remove 2

        The same as JSON, for POST /api/v1/costs (one, or an array of them):

          {"campaign": "summer", "from": "2026-11-01", "to": "2026-11-07", "time_zone": "+01:00",
           "where": {"var1": ["39485", "39486"], "param:creative": null, "offer": "fit"},
           "total": "120.50", "currency": "EUR", "note": "invoice 12"}

        total is for all of these clicks together and is dealt out evenly, in the order of their IDs;
        cpc and cpm are for one and for a thousand. A day is meant from its beginning to its end;
        times must lie on quarters of an hour. In a range that is not over, later clicks take their
        part of the total. If no click came, it stands at the range's beginning (unless a newer
        correction is about all clicks there, or about the same ones). A correction tells all that a
        click costs, what its conversions cost (cpa, revshare) included. Where several are about a
        click, the newest counts; each is dealt out as if it were alone. What traffic sources are told
        ({cost}) stays what was recorded. `cost import FILE` takes a source's report as CSV.

        """
}
