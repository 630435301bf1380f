internal import HTTP
internal import Visitors

extension AgentHeaders {
    /// Views into the request, as long as it lasts.
    init(_ http: borrowing Request) {
        self.init(userAgent: http.value("user-agent"))
        brands = http.value("sec-ch-ua-full-version-list", or: "sec-ch-ua")
        if !brands.isEmpty {
            // Who sends neither of those two sends no others.
            mobile = http.value("sec-ch-ua-mobile")
            platform = http.value("sec-ch-ua-platform")
            platformVersion = http.value("sec-ch-ua-platform-version")
            model = http.value("sec-ch-ua-model")
            formFactors = http.value("sec-ch-ua-form-factors")
        }
        acceptLanguage = http.value("accept-language")
    }
}

extension RequestMarks {
    init(_ http: borrowing Request) {
        self.init()
        purpose = http.value("sec-purpose", or: "purpose")
        xPurpose = http.value("x-purpose")
        xMoz = http.value("x-moz")
    }
}

extension Request {
    /// The header's value, or the other's; empty where neither was sent.
    fileprivate borrowing func value(_ name: StaticString, or other: StaticString? = nil)
        -> UnsafeRawBufferPointer
    {
        if let value = header(name) { return value }
        if let other, let value = header(other) { return value }
        return AgentHeaders.none
    }
}
