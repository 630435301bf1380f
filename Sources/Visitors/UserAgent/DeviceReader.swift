public import Domain

/// Reads a visitor's device from what its browser sent.
public enum DeviceReader {
    /// Never fails: what can't be read stays empty. Names that no table has, such as an unknown
    /// program's, are the agent's own words, printable and at most 64 bytes.
    ///
    /// - Parameter headers: any bytes will do, and of a header longer than 1,024 the rest isn't
    ///   read.
    public static func read(_ headers: AgentHeaders) -> Device {
        var device = Device()
        let text = AgentText(headers.userAgent)
        if text.count > 0 {
            let scan = AgentScan(text)
            SystemReading.read(scan, &device)
            BrowserReading.read(scan, &device)
            HardwareReading.read(scan, &device)
        }
        ClientHints.read(headers, into: &device)
        var language: [UInt8] = []
        if AcceptLanguage.appendBest(headers.acceptLanguage, to: &language) {
            device.language = String(decoding: language, as: UTF8.self)
        }
        return device
    }
}
