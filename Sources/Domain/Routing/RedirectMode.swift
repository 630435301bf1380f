/// How a visitor is sent on to a lander or an offer.
public enum RedirectMode: String, CaseIterable, Sendable {
    case found = "302"
    case seeOther = "303"
    case temporaryRedirect = "307"
    /// A page that refreshes to the address: what the offer sees as the referrer is our address, not
    /// the page that had the ad.
    case meta
    /// Two such pages, the second of which sends no referrer: the offer sees none, whatever the
    /// visitor's browser makes of `Referrer-Policy` on redirects.
    case doubleMeta = "double_meta"
    /// A page whose script replaces it by the address; without scripts it refreshes.
    case script = "js"
}
