internal import HTTP
internal import Visitors

/// What a request's headers tell of who sent it and why: views into it, as long as it lasts.
///
/// Read in one pass: a look for each of a dozen names would compare a browser's dozen headers each
/// time. Of several headers of one name the first counts.
struct VisitorHeaders {
    private(set) var agent = AgentHeaders(userAgent: AgentHeaders.none)
    private(set) var marks = RequestMarks()
    private(set) var referrer = AgentHeaders.none

    init(_ http: borrowing Request) {
        var brands = AgentHeaders.none
        var oldPurpose = AgentHeaders.none
        for index in 0..<http.headerCount {
            switch http.headerName(at: index).count {
            case 5: Self.take(http, index, "x-moz", &marks.xMoz)
            case 7:
                Self.take(http, index, "referer", &referrer)
                Self.take(http, index, "purpose", &oldPurpose)
            case 9:
                Self.take(http, index, "sec-ch-ua", &brands)
                Self.take(http, index, "x-purpose", &marks.xPurpose)
            case 10: Self.take(http, index, "user-agent", &agent.userAgent)
            case 11: Self.take(http, index, "sec-purpose", &marks.purpose)
            case 15:
                Self.take(http, index, "accept-language", &agent.acceptLanguage)
                Self.take(http, index, "sec-ch-ua-model", &agent.model)
            case 16: Self.take(http, index, "sec-ch-ua-mobile", &agent.mobile)
            case 18: Self.take(http, index, "sec-ch-ua-platform", &agent.platform)
            case 22: Self.take(http, index, "sec-ch-ua-form-factors", &agent.formFactors)
            case 26: Self.take(http, index, "sec-ch-ua-platform-version", &agent.platformVersion)
            case 27: Self.take(http, index, "sec-ch-ua-full-version-list", &agent.brands)
            default: break
            }
        }
        if agent.brands.baseAddress == nil { agent.brands = brands }
        if marks.purpose.baseAddress == nil { marks.purpose = oldPurpose }
        if agent.brands.isEmpty {
            // Who sends no brands sends no other hint.
            agent.mobile = AgentHeaders.none
            agent.platform = AgentHeaders.none
            agent.platformVersion = AgentHeaders.none
            agent.model = AgentHeaders.none
            agent.formFactors = AgentHeaders.none
        }
    }

    @inline(__always)
    private static func take(
        _ http: borrowing Request, _ index: Int, _ name: StaticString,
        _ value: inout UnsafeRawBufferPointer
    ) {
        // A header that was sent has an address, even where its value is empty.
        guard value.baseAddress == nil, http.isHeader(at: index, name) else { return }
        value = http.headerValue(at: index)
    }
}
