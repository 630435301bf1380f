extension HelpText {
    /// What a media buyer asks: who counts as a visitor.
    static let bots = """
        Who counts as a visitor

        Every request to a campaign URL is kept and sent on, and marked as one of these:
          visitor    a click, as reports, prices and limits count them
          bot        a crawler, a scanner, a monitor, a program
          prefetch   a browser that loads ahead (Sec-Purpose, Purpose, X-Purpose, X-Moz)
          preview    a messenger or network that draws a link's preview (WhatsApp, Slack, …)

        All but visitors stand in the reports' column "bots" and in no other sum, cost included.
        `clickrelay trace` tells each click's mark. Rules route by {"visit": ["bot", "preview"]} or
        {"bot": true}; see help routing.

        A bot is who says so in its user agent (crawlers, monitors, browsers without a person); who
        is on the list in BOTS_FILE; and who has one of the BOT_MARKS: library (an HTTP library or
        a tool such as curl), no-agent (it names no program), no-language (it asks for no
        language), rate (it opens campaign URLs for more than the 60th time within a minute, by
        address, of IPv6 the network, and agent: beware of carriers that hide many behind one).
        None of them counts unless BOT_MARKS names it, as servers that pass visitors on and apps
        may do the same. Who hides well is found by none of this.

        BOTS_FILE has an address, a network or an agent's word on each line, up to 1,000,000 and
        1,000 of them; SIGHUP reads it again, and a list with a mistake leaves the old one in use:

          # who checks our ads
          203.0.113.0/24
          2001:db8:7::/48
          agent: AdVerifier

        """
}
