/// What a visitor's browser may tell the offer about where the visitor comes from.
/// W3C Referrer Policy, section 3, without the empty string, which is no policy.
public enum ReferrerPolicy: String, CaseIterable, Sendable {
    case noReferrer = "no-referrer"
    case noReferrerWhenDowngrade = "no-referrer-when-downgrade"
    case sameOrigin = "same-origin"
    case origin
    case strictOrigin = "strict-origin"
    case originWhenCrossOrigin = "origin-when-cross-origin"
    case strictOriginWhenCrossOrigin = "strict-origin-when-cross-origin"
    case unsafeURL = "unsafe-url"
}
