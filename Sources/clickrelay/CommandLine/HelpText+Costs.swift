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

        """
}
