/// What a request says of the program that sent it: views, as long-lived as the request. Empty: the
/// header wasn't sent.
public struct AgentHeaders {
    public static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    public var userAgent: UnsafeRawBufferPointer
    /// `Sec-CH-UA-Full-Version-List`, else `Sec-CH-UA`.
    public var brands = AgentHeaders.none
    /// `Sec-CH-UA-Mobile`
    public var mobile = AgentHeaders.none
    /// `Sec-CH-UA-Platform`
    public var platform = AgentHeaders.none
    /// `Sec-CH-UA-Platform-Version`
    public var platformVersion = AgentHeaders.none
    /// `Sec-CH-UA-Model`
    public var model = AgentHeaders.none
    /// `Sec-CH-UA-Form-Factors`
    public var formFactors = AgentHeaders.none

    public var acceptLanguage = AgentHeaders.none

    public init(userAgent: UnsafeRawBufferPointer) { self.userAgent = userAgent }

    /// What a server asks browsers for in `Accept-CH`, beside what they send by themselves.
    public static let wanted =
        "Sec-CH-UA-Full-Version-List, Sec-CH-UA-Platform-Version, Sec-CH-UA-Model, "
        + "Sec-CH-UA-Form-Factors"

    var hasHints: Bool { !brands.isEmpty || !platform.isEmpty || !mobile.isEmpty }

    /// What decides about the device, one after another.
    var all: InlineArray<8, UnsafeRawBufferPointer> {
        [
            userAgent, brands, mobile, platform, platformVersion, model, formFactors,
            acceptLanguage,
        ]
    }
}
